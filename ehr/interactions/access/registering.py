"""How whoever registers a patient sees whom they wrote.

At a practice of GPs, which is named in `Patient.generalPractitioner`, by that. Who registers
somebody elsewhere, such as the front desk of a hospital, claims a relationship for a day: for their
organisation, so that a colleague goes on with it and does not register the same person again. The
practice is told, if one is named.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ehr.access.judging import seen
from ehr.interactions.access.letting_in import Claimed
from ehr.interactions.access.tasks import claim
from ehr.interactions.access.terms import terms_of
from ehr.record import Record
from ehr.store.drafts import Write, Written

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal

_WHY = "Registered this person, whose record was not open to them otherwise."
# Who registers the same person at the same moment asked before this was written, and must see it.
_BEFORE = 60_000


def claims_of_registered(
    record: Record,
    principal: "Principal",
    connection: "Connection",
    writes: Sequence[Write],
    done: Sequence[Written],
) -> list[Claimed]:
    """Return by what whoever registered patients sees them; nothing for those whose record is open
    to the writer anyway."""
    if principal.kind != "professional" or not principal.person:
        return []
    new = {
        (one.patient_key, one.rid): one.id
        for write, one in zip(writes, done, strict=True)
        if write.type == "Patient" and write.current is None
    }
    if not new:
        return []
    shown = seen(connection, record.database, principal, dict.fromkeys(new, "Patient"))
    who, at = {"reference": principal.person}, record.clock() - _BEFORE
    here = principal.organisation
    owner = {"reference": f"Organization/{here}"} if here else who
    until = at + terms_of(record).self_claimed
    return [
        Claimed(
            key,
            f"Patient/{id}",
            said="they registered this person, and their organisation may read it for a day",
            task=claim(f"Patient/{id}", owner, at, until, requester=who, description=_WHY),
        )
        for (key, rid), id in new.items()
        if (key, rid) not in shown
    ]
