"""What a write refers to: nobody leads to what they may not see, and so opens or files it.

A Binary is read through what refers to it (ehr/README.md, *Large bodies*), and a row lies in the
compartment of each patient that it names. What is hidden is refused as what is not there, so that
ids can't be tried out; what the transaction makes itself is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from auth.rights import is_judged
from ehr.access.instance import is_open, owns
from ehr.access.judging import seen
from ehr.access.scope import EVERYTHING, scope_of
from ehr.errors import Forbidden, Unprocessable
from ehr.interactions.changes import Change
from ehr.interactions.targets import Plan
from ehr.record import Record
from ehr.store.demands import missing
from ehr.store.drafts import Current, Demand, Draft, Write
from ehr.store.locator import Located, Name, locate

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal


def names_binaries(draft: Draft) -> bool:
    """Tell whether a draft refers to Binaries, so that `refuse_opening` has to look at it."""
    return any(row.type == "Binary" for row in draft.rows.reference)


def refuse_writing(
    record: Record,
    principal: "Principal",
    connection: "Connection",
    changes: Sequence[Change],
    plan: Plan,
    rows: Mapping[Name, Current],
) -> None:
    """Raise Forbidden for a Binary of another organisation that its caller may only read."""
    for change, target in zip(changes, plan.targets, strict=True):
        for name in target.names if change.type == "Binary" and target.writes else ():
            row = rows.get(name)
            if row is None or owns(record.database, principal, row.patient_key):
                continue
            if is_open(connection, record.database, principal, row.patient_key, row.rid):
                raise Forbidden(
                    f"Binary/{row.id} belongs to another organisation. It may be read through what "
                    "refers to it, and changed by that organisation only.",
                    expression=change.expression,
                )


def refuse_opening(
    record: Record,
    principal: "Principal",
    connection: "Connection",
    writes: Sequence[Sequence[Write]],
) -> None:
    """Raise Unprocessable for references to Binaries that their writer may not read.

    One to a Binary that is not there yet would open it once somebody puts it there.
    """
    if scope_of(record.database, principal, "r") == EVERYTHING:
        return
    naming = list(_named_anew(writes, "Binary"))
    places = locate(connection, {("Binary", one.id) for _, one in naming})
    for write, one in naming:
        place = places.get(("Binary", one.id))
        if place is None or not (
            owns(record.database, principal, place.patient_key)
            or is_open(connection, record.database, principal, place.patient_key, place.rid)
        ):
            raise _refused([(write, one)])


def refuse_unseen(
    record: Record,
    principal: "Principal",
    connection: "Connection",
    writes: Sequence[Sequence[Write]],
) -> None:
    """Raise Unprocessable for a reference that must resolve to what the caller may not see, and
    for a patient whom people name beside the one whose row it is and do not see.

    Whether the record of that one is open to people is judged apart, and told by one answer.
    """
    if principal.scopes is None:
        return
    asked = [(w, one) for w in chain(*writes) if w.draft for one in w.draft.demands]
    if is_judged(principal):
        asked = [(w, one) for w, one in asked if f"{one.type}/{one.id}" != _owner(w)]
    named = [] if principal.kind == "system" else list(_named_anew(writes, "Patient"))
    places = locate(connection, {(one.type, one.id) for _, one in (*asked, *named)})
    shown = _shown(record, principal, connection, places)
    refused = [(w, one) for w, one in asked if shown.get((one.type, one.id)) is False]
    refused += [(w, one) for w, one in named if not shown.get((one.type, one.id))]
    if is_judged(principal):
        made = {(w.type, w.id) for w in chain(*writes) if w.draft is not None}
        known = shown.keys() | made
        refused += [(w, one) for w, one in asked if (one.type, one.id) not in known]
    if refused:
        raise _refused(refused)


def _shown(
    record: Record,
    principal: "Principal",
    connection: "Connection",
    places: Mapping[Name, Located],
) -> dict[Name, bool]:
    """Return of each row that is there whether the caller may see it."""
    there = {name: one for name, one in places.items() if not one.reserved}
    if not is_judged(principal):
        return {
            name: one.patient_key == 0 or owns(record.database, principal, one.patient_key)
            for name, one in there.items()
        }
    asked = {(one.patient_key, one.rid): type for (type, _), one in there.items()}
    found = seen(connection, record.database, principal, asked)
    return {
        name: one.patient_key == 0 or (one.patient_key, one.rid) in found
        for name, one in there.items()
    }


def _named_anew(writes: Sequence[Sequence[Write]], type: str) -> Iterator[tuple[Write, Demand]]:
    """Yield the resources of a type that writes refer to; not those that are made or written
    beside them, whose rows they are, or that the row named before."""
    made = {write.id for write in chain(*writes) if write.type == type and write.draft is not None}
    for write in chain(*writes):
        if write.draft is None:
            continue
        before = {row.id for row in write.previous.links()} if write.previous is not None else set()
        owner = _owner(write).removeprefix("Patient/")
        for row in write.draft.rows.links():
            if row.type == type and row.id is not None and row.id not in (made | before | {owner}):
                yield write, Demand(type, row.id, None, "")


def _owner(write: Write) -> str:
    """Return whose row a write makes."""
    return (write.draft.owner if write.draft is not None else None) or ""


def _refused(some: Sequence[tuple[Write, Demand]]) -> Unprocessable:
    issues = [missing(write, one) for write, one in some]
    return Unprocessable(issues[0].diagnostics, issues=issues)
