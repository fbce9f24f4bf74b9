"""One or many changes as one transaction: conditions matched, references linked, versions written.

A single create, update, patch or delete is a transaction of one. Everything that takes time
(checking, indexing, compressing) happens before the write queues; inside it the conditions are
matched again under their locks, and a different answer starts the work over (DESIGN: races).
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from ehr.access.instance import may_see
from ehr.errors import Conflict, NotFound
from ehr.interactions import patching, preconditions
from ehr.interactions.conditions import conditions_of, lock_texts
from ehr.interactions.content import link_staged, stage_large
from ehr.interactions.drafting import draft, reindex
from ehr.interactions.targets import Plan, Target, plan_targets
from ehr.messages import Document, Preconditions, replace
from ehr.record import Record
from ehr.search import criteria
from ehr.search.criteria import Criteria, Matches
from ehr.store import locks, read
from ehr.store.blobs import Blob
from ehr.store.commit import Numbers, commit
from ehr.store.drafts import Author, Current, Draft, LostRace, Method, Write, Written
from ehr.store.locator import Name, locate
from fhir_profiles import json_format

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal

# Rounds that prepare before the write queues; under contention the last one prepares again inside
# it, where nobody can change what the conditions match.
_ROUNDS = (False, False, True)


class Change(Struct, frozen=True):
    """One write asked for. `criteria` in place of `id` makes it conditional."""

    method: Method
    type: str
    id: str | None = None
    criteria: Criteria | None = None
    document: Document | None = None
    preconditions: Preconditions = Preconditions()
    full_url: str | None = None
    expression: str = ""
    blob_id: str | None = None
    # Of a Binary: what is staged for this change, or raw content that is still to be staged.
    blob: Blob | None = None
    content: bytes | None = None
    # Of a PATCH that is no patch document: what it makes of the current version.
    edit: Callable[[Document], Document] | None = None


# Numbers for patients that a patch may mention; beyond them a mention waits by its hash.
_SPARE = 4
Prepared = tuple[Plan, Sequence[Draft | None]]


def apply(
    record: Record,
    principal: "Principal",
    changes: Sequence[Change],
    then: Callable[[], None] | None = None,
) -> list[list[Written]]:
    """Carry out all changes or none; return what became of each (a list, for multiple deletes).

    `then` runs before the transaction ends and reads what the changes made; where it raises,
    nothing is changed. It runs again when the transaction has to.
    """
    return _carry_out(record, principal, stage_large(record, principal, changes), then)


def rehearse(record: Record, principal: "Principal", changes: Sequence[Change]) -> None:
    """Do all that `apply` does and take it back. Raises what `apply` would raise."""
    with contextlib.suppress(_TakenBack):
        _carry_out(record, principal, changes, _take_back)


class _TakenBack(Exception):
    """Ends a rehearsal, so that its transaction leaves nothing behind."""


def _take_back() -> None:
    raise _TakenBack


def _carry_out(
    record: Record,
    principal: "Principal",
    changes: Sequence[Change],
    then: Callable[[], None] | None,
) -> list[list[Written]]:
    conditions = conditions_of(changes)
    with record.database.read() as connection:
        matches: Matches = criteria.match(record, principal, connection, conditions)
    for is_last in _ROUNDS:
        prepared = _prepare(record, changes, matches)
        outcome = _write(
            record, principal, changes, conditions, matches, prepared, is_last=is_last, then=then
        )
        if isinstance(outcome, list):
            return outcome
        matches = outcome
        # Links were put into the parsed documents: begin again from what was sent.
        changes = [_afresh(change) for change in changes]
    raise AssertionError("the last round writes or raises")


def _prepare(record: Record, changes: Sequence[Change], matches: Matches) -> Prepared:
    plan = plan_targets(record, changes, matches)
    return plan, _drafts(record, changes, plan)


def _afresh(change: Change) -> Change:
    document = change.document
    if document is None or document.resource is None:
        return change
    return replace(change, document=replace(document, resource=json_format.reparse(document.raw)))


def _drafts(record: Record, changes: Sequence[Change], plan: Plan) -> list[Draft | None]:
    return [
        draft(record, change, plan.links)
        if change.document is not None and change.method is not Method.PATCH and target.writes
        else None
        for change, target in zip(changes, plan.targets, strict=True)
    ]


def _write(
    record: Record,
    principal: "Principal",
    changes: Sequence[Change],
    conditions: Sequence[Criteria],
    matches: Matches,
    prepared: Prepared,
    *,
    is_last: bool,
    then: Callable[[], None] | None,
) -> list[list[Written]] | Matches:
    """Return the outcome, or other matches where the conditions now match something else."""
    author = Author(principal.id, principal.organisation)
    numbers = _numbers(record, principal, changes, None if is_last else prepared[1])

    def work(connection: "Connection") -> list[list[Written]] | Matches:
        held: list[int] = []
        plan, drafts = prepared
        if conditions:
            held = locks.take(connection, lock_texts(changes))
            again = criteria.match(record, principal, connection, conditions)
            if again != matches and not is_last:
                # This transaction commits, so a lock left here would hold for ever.
                locks.release(connection, held)
                return again
            if again != matches:
                plan, drafts = _prepare(record, [_afresh(change) for change in changes], again)
        writes = _writes(record, principal, connection, changes, plan, drafts)
        flat = [write for some in writes for write in some]
        written = iter(commit(connection, flat, author, numbers, record.settings.references))
        outcome = [[next(written) for _ in some] for some in writes]
        link_staged(connection, changes, outcome)
        _fill_matched(connection, plan, outcome)
        if then is not None:
            with record.database.joined(connection):
                then()
        locks.release(connection, held)
        return outcome

    return record.database.write(work)


def _numbers(
    record: Record,
    principal: "Principal",
    changes: Sequence[Change],
    drafts: Sequence[Draft | None] | None,
) -> Numbers:
    """Take numbers before the transaction, enough for every resource and mentioned patient.

    Without drafts, which may still change, one patient for each change is the most there can be.
    """
    allocator = record.database.allocator
    patients = len(changes) if drafts is None else _count_patients(drafts)
    extra = patients + _SPARE * sum(change.method is Method.PATCH for change in changes)
    return Numbers(
        patient_keys=allocator.reserve("patient", extra) if extra else (),
        rids=allocator.reserve("rid", len(changes) + extra),
        txn_id=allocator.reserve("txn", 1)[0],
        unfiled=record.database.unfiled_key(principal.organisation),
    )


def _count_patients(drafts: Sequence[Draft | None]) -> int:
    """Return how many patients these drafts are or mention, at most."""
    some = [one for one in drafts if one is not None]
    mentioned = {row.id for one in some for row in one.rows.reference if row.type == "Patient"}
    return sum(one.type == "Patient" for one in some) + len(mentioned)


def _writes(
    record: Record,
    principal: "Principal",
    connection: "Connection",
    changes: Sequence[Change],
    plan: Plan,
    drafts: Sequence[Draft | None],
) -> list[list[Write]]:
    """Return the writes of each change on the rows as they stand now, locked."""
    names = [name for target in plan.targets for name in target.names if not target.is_new]
    rows = read.currents(connection, names) if names else {}
    _refuse_moved(connection, changes, plan, rows)
    hidden = {name for name, row in rows.items() if not _may_see(record, principal, row)}
    for change, target in zip(changes, plan.targets, strict=True) if hidden else ():
        if change.method is not Method.DELETE and not hidden.isdisjoint(target.names):
            raise NotFound(f"There is no {change.type}/{target.id}.", expression=change.expression)
    for name in hidden:
        del rows[name]  # deleting what is not there changes nothing
    return [
        _of_change(record, change, target, one, rows)
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


def _may_see(record: Record, principal: "Principal", row: Current) -> bool:
    return may_see(record.database, principal, row.patient_key)


def _of_change(
    record: Record,
    change: Change,
    target: Target,
    prepared: Draft | None,
    rows: Mapping[Name, Current],
) -> list[Write]:
    if not target.writes:
        return []
    if change.method is Method.DELETE:
        return _deletions(record, change, target, rows)
    row = rows.get((change.type, target.id))
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
            at=change.expression,
        )
    ]


def _deletions(
    record: Record,
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
            previous = reindex(record, row)
            at = change.expression
            writes.append(Write(Method.DELETE, type, id, current=row, previous=previous, at=at))
    return writes


def _fill_matched(connection: "Connection", plan: Plan, outcome: list[list[Written]]) -> None:
    """Tell of a conditional create that found its resource: that one, with status 200."""
    names = [target.names[0] for target in plan.targets if target.matched]
    rows = read.currents(connection, names) if names else {}
    for target, some in zip(plan.targets, outcome, strict=True):
        if target.matched:
            row = rows.get(target.names[0])
            if row is None or row.deleted:  # since it was matched
                raise LostRace
            some.append(
                Written(
                    200, row.type, row.id, row.version, row.last_updated, row.patient_key,
                    row.rid, row.stored,
                )
            )  # fmt: skip
