"""Who lets themself into a record by what they write: somebody is told, in the same transaction.

`auth/elements/openings.py` says which entries of a CareTeam, Encounter or Task are such claims. The
alert is the one of `$claim-relationship`: to the registered practice and to who leads the team. Who
registers a patient elsewhere than at a practice claims to care for them (`registering.py`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ehr.interactions.access.concerned import caller_in_words, concerned
from ehr.interactions.access.notices import alert
from ehr.interactions.access.terms import terms_of
from ehr.record import Record

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal
    from ehr.messages import Resource


@dataclass(frozen=True, slots=True)
class Claimed:
    """A resource that was written, by which its writer has opened the record to themself; or the
    Task that is to be written beside it for that."""

    patient_key: int
    name: str  # as CareTeam/1
    element: str = ""  # as CareTeam.participant[0]
    said: str = ""
    task: "Resource | None" = None


def alert_of(
    record: Record, principal: "Principal", connection: "Connection", claimed: Claimed
) -> "Resource | None":
    """Return an alert; None where there is nobody to tell."""
    about = concerned(connection, claimed.patient_key)
    if about is None:
        return None
    how = f"by {claimed.element} of {claimed.name}" if claimed.element else claimed.said
    said = (
        f"Somebody in the role {caller_in_words(connection, principal)} has let themself into this "
        f"record: {how}."
    )
    return alert(about, claimed.name, said, record.clock(), terms_of(record))
