"""Who lets whom into a record by what they write, and who is told of it, in the same transaction.

`auth/elements/openings.py` says which entries of a CareTeam, Encounter or Task are claims of their
writer. The alert is the one of `$claim-relationship`: to the registered practice and to who leads
the team. Who registers a patient elsewhere than at a practice claims to care for them
(`registering.py`).

Others are let in by whoever has a relationship of care (auth/README.md, *From the role to the
row*). Who is there for hours (claimed, broken glass), or was only asked, opens the record to nobody
by a ServiceRequest, Task, team or Consent, and to themself only by what somebody is told of: else
hours became years, and no label held.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ehr.access.relationships import Relationship, Source, relationships_of
from ehr.errors import Forbidden
from ehr.interactions.access.concerned import caller_in_words, concerned
from ehr.interactions.access.notices import alert
from ehr.interactions.access.terms import terms_of
from ehr.interactions.drafting import resource_of
from ehr.messages import Resource
from ehr.record import Record
from ehr.store.drafts import Current, Write, Written

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal

# Whoever takes part in one's own organisation's Encounter is there for all to see.
_TOLD_OF = frozenset({"CareTeam", "Encounter", "Task"})
_BY = {
    "CareTeam": "participant",
    "Consent": "provision",
    "Encounter": "participant",
    "ServiceRequest": "performer",
    "Task": "owner",
}
_Grant = tuple[str, str]  # to whom, on whose behalf


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


def let_in(
    record: Record, principal: "Principal", writes: Iterable[tuple[Write, Written]]
) -> list[Claimed]:
    """Return by what a caller without a relationship of care lets themself in, which somebody is
    told of. Raises Forbidden for whom else they let in, and for what a patient decides."""
    found: list[Claimed] = []
    for write, done in writes:
        if write.type == "Consent":
            raise _refused(write, "Who sees a record, and who acts for whom, is")
        if write.type not in _BY:
            continue
        opened = _opened(record, write, done)
        if not opened:
            continue
        mine = principal.called.names if principal.called is not None else ()
        if write.type == "Encounter" or (
            write.type in _TOLD_OF and all(name in mine for name, _ in opened)
        ):
            by = f"{write.type}.{_BY[write.type]}"
            found.append(Claimed(done.patient_key, f"{write.type}/{write.id}", by))
            continue
        raise _refused(write, "Who is asked to care for somebody is")
    return found


def _opened(record: Record, write: Write, done: Written) -> list[_Grant]:
    """Return to whom a write opens the record who was not let in by it before, or for less long."""
    assert write.draft is not None
    before = _ends(record, write.id, _before(write.current), done.last_updated)
    after = _ends(record, write.id, write.draft.resource, done.last_updated)
    return [who for who, end in after.items() if end > before.get(who, 0)]


def _ends(record: Record, id: str, document: Resource | None, at: int) -> Mapping[_Grant, int]:
    """Return until when a resource lets whom in, in ms; those whom it lets in no more are not."""
    ends: dict[_Grant, int] = {}
    if document is None:
        return ends
    for one in _relationships(record, id, document, at):
        who = (one.grantee, one.behalf)
        if one.grantee and one.to > at:
            ends[who] = max(one.to, ends.get(who, 0))
    return ends


def _relationships(
    record: Record, id: str, document: Resource, at: int
) -> tuple[Relationship, ...]:
    return relationships_of(Source(id, document, at), terms_of(record))


def _before(row: Current | None) -> Resource | None:
    return resource_of(row) if row is not None and not row.deleted else None


def _refused(write: Write, what: str) -> Forbidden:
    return Forbidden(
        f"{what} for those who care for them: registered practice, team, Encounter or accepted "
        "referral. You have this record open for a short time, or were only asked. Accept the "
        "Task, or ask the practice or the team.",
        expression=write.place(_BY[write.type]),
    )
