"""One or many changes as one transaction: conditions matched, references linked, versions written.

A single create, update, patch or delete is a transaction of one. Everything that takes time
(checking, indexing, compressing) happens before the write queues; inside it the conditions are
matched again under their locks, and a different answer starts the work over (ehr/README.md,
*Races*).
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from auth.rights import is_judged
from ehr.access.scope import scope_of
from ehr.audit.event import AuditRow
from ehr.audit.telling.requests import of_changes, of_more
from ehr.interactions import sharing
from ehr.interactions.access.beside import numbers_of, put_beside
from ehr.interactions.access.judgement import Judgement
from ehr.interactions.access.rows import keep_access
from ehr.interactions.authorship import author_of
from ehr.interactions.changes import Change, afresh
from ehr.interactions.conditions import References, conditions_of, lock_texts
from ehr.interactions.content import link_staged, stage_large
from ehr.interactions.drafting import draft, is_tolerant
from ehr.interactions.leaving import end_rights
from ehr.interactions.targets import Plan, plan_targets
from ehr.interactions.writes import writes_of
from ehr.messages import Interaction
from ehr.record import Record
from ehr.search import criteria, definitions
from ehr.search.criteria import Criteria, Matches
from ehr.store import locks, read
from ehr.store.commit import Numbers, commit
from ehr.store.drafts import Author, Draft, LostRace, Method, OutdatedIndex, Write, Written
from ehr.store.sessions.failures import collided
from ehr.store.together import write_parts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal

    Then = Callable[[Connection], None]
    Tell = Callable[[Sequence[Sequence[Written]]], Sequence[AuditRow]]

# Rounds that prepare before the write queues; under contention the last one prepares again inside
# it, where nobody can change what the conditions match.
_ROUNDS = (False, False, True)
_ATTEMPTS = range(8)
# Numbers for patients that a patch may mention; beyond them a mention waits by its hash.
_SPARE = 4
Prepared = tuple[Plan, Sequence[Draft | None]]


def apply(
    record: Record,
    principal: "Principal",
    changes: Sequence[Change],
    then: "Then | None" = None,
    *,
    asked: Interaction,
) -> list[list[Written]]:
    """Carry out all changes or none; return what became of each (a list, for multiple deletes).

    What was done is audited in the same transaction, as part of what was `asked`.

    `then` runs before the transaction ends, on its connection, and reads what the changes made;
    where it raises, nothing is changed. It runs again when the transaction has to.
    """
    staged = stage_large(record, principal, changes)

    def tell(outcome: Sequence[Sequence[Written]]) -> Sequence[AuditRow]:
        return of_changes(principal, record.clock(), asked, changes, outcome)

    record.trail.ready()  # it can't begin inside the transaction
    return _carry_out(record, principal, staged, then, tell)


def rehearse(record: Record, principal: "Principal", changes: Sequence[Change]) -> None:
    """Do all that `apply` does and take it back. Raises what `apply` would raise."""
    with contextlib.suppress(_TakenBack):
        _carry_out(record, principal, changes, _take_back, _tell_nothing)


class _TakenBack(Exception):
    """Ends a rehearsal, so that its transaction leaves nothing behind."""


def _tell_nothing(_outcome: object) -> Sequence[AuditRow]:
    return ()


def _take_back(_connection: "Connection") -> None:
    raise _TakenBack


def _carry_out(
    record: Record,
    principal: "Principal",
    changes: Sequence[Change],
    then: "Then | None",
    tell: "Tell",
) -> list[list[Written]]:
    for _ in _ATTEMPTS:
        try:
            outcome = _attempt(record, principal, changes, then, tell)
        except OutdatedIndex:
            # `$reindex` began meanwhile: make the rows again, as it wants them now.
            record.definitions.refresh()
            changes = [afresh(change) for change in changes]
            continue
        if any(change.type == definitions.TYPE for change in changes):
            record.definitions.refresh()  # the caller may ask by it at once
        return outcome
    raise collided()


def _attempt(
    record: Record,
    principal: "Principal",
    changes: Sequence[Change],
    then: "Then | None",
    tell: "Tell",
) -> list[list[Written]]:
    conditions, references = conditions_of(changes)
    matches: Matches = {}
    if conditions:
        with record.database.read() as connection:
            matches = criteria.match(record, principal, connection, conditions)
    for is_last in _ROUNDS:
        prepared = _prepare(record, changes, matches, references)
        outcome = _write(
            record, principal, changes, conditions, matches, prepared,
            is_last=is_last, then=then, tell=tell,
        )  # fmt: skip
        if isinstance(outcome, list):
            return outcome
        matches = outcome
        # Links were put into the parsed documents: begin again from what was sent.
        changes, references = [afresh(change) for change in changes], {}
    raise AssertionError("the last round writes or raises")


def _judge_definitions(
    record: Record,
    connection: "Connection",
    changes: Sequence[Change],
    outcome: Sequence[Sequence[Written]],
) -> None:
    written = [
        (change.expression, one)
        for change, some in zip(changes, outcome, strict=True)
        if change.type == definitions.TYPE
        for one in some
    ]
    if written:
        definitions.judge(connection, written, tolerant=is_tolerant(record))


def _prepare(
    record: Record, changes: Sequence[Change], matches: Matches, references: References
) -> Prepared:
    plan = plan_targets(record, changes, matches)
    return plan, _drafts(record, changes, plan, references)


def _drafts(
    record: Record, changes: Sequence[Change], plan: Plan, references: References
) -> list[Draft | None]:
    return [
        draft(record, change, plan.links, references.get(number))
        if change.document is not None and change.method is not Method.PATCH and target.writes
        else None
        for number, (change, target) in enumerate(zip(changes, plan.targets, strict=True))
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
    then: "Then | None",
    tell: "Tell",
) -> list[list[Written]] | Matches:
    """Return the outcome, or other matches where the conditions now match something else."""
    author = _author(record, principal)
    numbers = _numbers(record, changes, None if is_last else prepared[1])
    spare = numbers_of(record, changes) if is_judged(principal) else None

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
                plan, drafts = _prepare(record, [afresh(change) for change in changes], again, {})
        judgement = Judgement(record, principal) if is_judged(principal) else None
        writes = writes_of(record, principal, author, connection, changes, plan, drafts, judgement)
        outcome = _committed(record, connection, writes, numbers)
        link_staged(connection, changes, outcome)
        _judge_definitions(record, connection, changes, outcome)
        _keep_access(record, connection, writes, outcome, judgement)
        _fill_matched(connection, plan, outcome)
        _do_then(record, connection, then)
        claimed = judgement.claimed if judgement is not None else ()
        beside = put_beside(record, principal, author, connection, claimed, spare)
        record.trail.within(connection, of_more(tell(outcome), beside))
        locks.release(connection, held)
        return outcome

    if conditions or then is not None:
        return record.database.write(work)
    part = sharing.part_of(record, principal, author, changes, prepared, numbers, tell)
    if part is None:
        return record.database.write(work)
    return record.database.write_shared(work, part, write_parts)


def _committed(
    record: Record,
    connection: "Connection",
    writes: Sequence[Sequence[Write]],
    numbers: Numbers,
) -> list[list[Written]]:
    flat = [write for some in writes for write in some]
    written = iter(commit(connection, flat, numbers, record.settings.references))
    return [[next(written) for _ in some] for some in writes]


def _do_then(record: Record, connection: "Connection", then: "Then | None") -> None:
    if then is not None:
        with record.database.joined(connection):
            then(connection)


def _keep_access(
    record: Record,
    connection: "Connection",
    written: Sequence[Sequence[Write]],
    outcome: Sequence[Sequence[Written]],
    judgement: Judgement | None,
) -> None:
    """Keep who may see a record true; what a caller wrote is judged as it was before, for what is
    written must not open the record to its writer."""
    writes = [write for some in written for write in some]
    done = [one for some in outcome for one in some]
    if judgement is not None:
        judgement.after(connection, writes, done, is_of_new_patient=False)
    keep_access(record, connection, writes, outcome)
    if judgement is not None:
        judgement.after(connection, writes, done, is_of_new_patient=True)
        judgement.claim_registered(connection, writes, done)
    end_rights(connection, writes, outcome, record.clock())


def _author(record: Record, principal: "Principal") -> Author:
    """Return who writes, and have all keys asked for that this needs, before the write queues."""
    scope_of(record.database, principal, "crud")
    unfiled = record.database.unfiled_key(principal.organisation)
    return author_of(principal, unfiled)


def _numbers(
    record: Record, changes: Sequence[Change], drafts: Sequence[Draft | None] | None
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
    )


def _count_patients(drafts: Sequence[Draft | None]) -> int:
    """Return how many patients these drafts are or mention, at most."""
    some = [one for one in drafts if one is not None]
    mentioned = {row.id for one in some for row in one.rows.links() if row.type == "Patient"}
    return sum(one.type == "Patient" for one in some) + len(mentioned)


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
