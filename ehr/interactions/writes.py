"""What changes write, judged on the rows as they stand and are held now (R4 §3.1.0.7-10).

Runs inside the write transaction: preconditions, patches, deletions of what is there; a row that
its caller may not see is not there.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ehr.errors import Conflict, NotFound
from ehr.interactions import content, patching, preconditions, referring
from ehr.interactions.access import permission
from ehr.interactions.access.judgement import Judgement
from ehr.interactions.access.unfit import refuse_unfit
from ehr.interactions.changes import Change
from ehr.interactions.drafting import reindex
from ehr.interactions.targets import Plan, Target
from ehr.record import Record
from ehr.store import read
from ehr.store.drafts import Author, Current, Draft, LostRace, Method, Write
from ehr.store.index_stamps import is_of_this_release
from ehr.store.locator import Name, locate

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal


def writes_of(
    record: Record,
    principal: "Principal",
    author: Author,
    connection: "Connection",
    changes: Sequence[Change],
    plan: Plan,
    drafts: Sequence[Draft | None],
    judgement: Judgement | None = None,
) -> list[list[Write]]:
    """Return the writes of each change, none for one that changes nothing.

    `judgement` is of callers of whom the role table is asked. Raises PreconditionFailed, Conflict,
    NotFound where a row does not permit them.
    """
    names = [name for target in plan.targets for name in target.names if not target.is_new]
    rows = read.currents(connection, names) if names else {}
    _refuse_moved(connection, changes, plan, rows)
    referring.refuse_writing(record, principal, connection, changes, plan, rows)
    if judgement is not None:
        judgement.before(connection, changes, plan, rows)
    writes = judged(record, principal, author, changes, plan, drafts, rows, judgement)
    referring.refuse_opening(record, principal, connection, writes)
    referring.refuse_unseen(record, principal, connection, writes)
    if judgement is not None:
        # What is not open to the caller is refused last, as patients who are not there are: a
        # reference that leads nowhere tells nothing of whose the row would be.
        judgement.refuse_strangers(connection, [write for some in writes for write in some])
    return writes


def judged(
    record: Record,
    principal: "Principal",
    author: Author,
    changes: Sequence[Change],
    plan: Plan,
    drafts: Sequence[Draft | None],
    rows: dict[Name, Current],
    judgement: Judgement | None = None,
) -> list[list[Write]]:
    """Return the writes of each change on these rows, which are what is there and is held."""
    hidden = {
        name
        for change, target in zip(changes, plan.targets, strict=True)
        for name in target.names
        if target.writes and name in rows
        if not permission.may_write(record, principal, change, rows[name], judgement)
    }
    for change, target in zip(changes, plan.targets, strict=True) if hidden else ():
        if change.method is Method.PUT and not hidden.isdisjoint(target.names):
            # In the order in which one to what is not there is refused.
            permission.refuse_choosing(principal, change, target.id, None)
            preconditions.check_write(change, None)
            raise NotFound(f"There is no {change.type}/{target.id}.", expression=change.expression)
    for name in hidden:
        del rows[name]  # what is hidden is not there
    return [
        _of_change(record, principal, author, change, target, one, rows, judgement)
        for change, target, one in zip(changes, plan.targets, drafts, strict=True)
    ]


def _refuse_moved(
    connection: "Connection",
    changes: Sequence[Change],
    plan: Plan,
    rows: Mapping[Name, Current],
) -> None:
    """Raise LostRace for what was filed under its patient while this waited for its row.

    What a PUT misses is seen when it gets its key; to others it would seem not to be there.
    """
    missed = {
        name
        for change, target in zip(changes, plan.targets, strict=True)
        if change.method in (Method.DELETE, Method.PATCH)
        for name in target.names
        if name not in rows
    }
    if missed and any(not found.reserved for found in locate(connection, missed).values()):
        raise LostRace


def _of_change(
    record: Record,
    principal: "Principal",
    author: Author,
    change: Change,
    target: Target,
    prepared: Draft | None,
    rows: Mapping[Name, Current],
    judgement: Judgement | None,
) -> list[Write]:
    if not target.writes:
        return []
    if change.method is Method.DELETE:
        return _deletions(record, principal, author, change, target, rows)
    row = rows.get((change.type, target.id))
    if not target.is_new:
        permission.refuse_choosing(principal, change, target.id, row)
    preconditions.check_write(change, row)
    if target.must_be_free and row is not None and not row.deleted:
        raise Conflict(
            f"The condition matches nothing, but {change.type}/{row.id} is already there. Leave "
            "the id out to create another, or update that one by its id.",
            code="duplicate",
            expression=change.expression,
        )
    if change.method is Method.PATCH:
        prepared = patching.patched(record, change, row)
    elif row is None and not target.is_new:
        preconditions.check_update_as_create(record, change, target.id)
    prepared = content.kept(change, prepared, row)
    if judgement is not None:
        prepared = judgement.filled(change, prepared, row)
    _check(record, principal, change, prepared, row)
    previous = reindex(record, row) if row is not None and not row.deleted else None
    return [
        Write(
            change.method,
            change.type,
            target.id,
            draft=prepared,
            current=row,
            previous=previous,
            client_id=not target.is_new,
            author=author,
            at=change.expression,
            clears=_is_old(row),
            is_beside=change.is_beside,
        )
    ]


def _check(
    record: Record,
    principal: "Principal",
    change: Change,
    prepared: Draft | None,
    row: Current | None,
) -> None:
    """Raise where a write is not its caller's to make, or lacks what it has to say."""
    permission.check_result(record, principal, change, prepared, row)
    refuse_unfit(record, principal, change, prepared, row)
    if principal.scopes is not None:
        preconditions.demand_if_match(change, row)


def _is_old(row: Current | None) -> bool:
    """Tell whether an earlier release made the rows of a resource, nobody knows how."""
    return row is not None and not row.deleted and not is_of_this_release(row.index_version)


def _deletions(
    record: Record,
    principal: "Principal",
    author: Author,
    change: Change,
    target: Target,
    rows: Mapping[Name, Current],
) -> list[Write]:
    """Deleting what is not there, or no longer, changes nothing and is no error (R4 §3.1.0.8)."""
    writes = []
    for type, id in target.names:
        row = rows.get((type, id))
        preconditions.check_write(change, row)
        if row is not None and not row.deleted:
            refuse_unfit(record, principal, change, None, row)
            previous = reindex(record, row)
            one = Write(Method.DELETE, type, id, current=row, previous=previous, author=author)
            one.at, one.clears = change.expression, _is_old(row)
            writes.append(one)
    return writes
