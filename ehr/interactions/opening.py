"""Unfiled Binaries that others may read through what refers to them.

ehr/README.md, *Large bodies*. Who may read one so may not write it, and nobody opens one by
referring to it who may not read it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ehr.access.instance import is_open, owns
from ehr.access.scope import EVERYTHING, scope_of
from ehr.errors import Forbidden, Unprocessable
from ehr.interactions.changes import Change
from ehr.interactions.targets import Plan
from ehr.record import Record
from ehr.store.drafts import Current, Draft, Write
from ehr.store.locator import Name, locate

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
    """Raise Unprocessable for references to Binaries that their writer may not read."""
    if scope_of(record.database, principal, "r") == EVERYTHING:
        return
    naming = [
        (write, (row.type, row.id))
        for some in writes
        for write in some
        if write.draft is not None
        for row in write.draft.rows.reference
        if row.type == "Binary" and row.id is not None
    ]
    places = locate(connection, {name for _, name in naming})
    for write, name in naming:
        place = places.get(name)
        if place is None or owns(record.database, principal, place.patient_key):
            continue
        if not is_open(connection, record.database, principal, place.patient_key, place.rid):
            raise Unprocessable(
                f"{write.type}/{write.id} refers to Binary/{name[1]}, which is not in this record. "
                "Create it first, or send both in one transaction.",
                code="not-found",
                expression=write.place(""),
            )
