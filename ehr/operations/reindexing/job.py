"""A `$reindex` from its beginning to its proof; it can be stopped at any moment and goes on later.

1. The definitions in force are settled, and from then on every write is made by them.
2. All older rows are visited, a few at a time.
3. Writes that had begun before are awaited, and what they wrote is visited too.
4. The counts are proven; what does not agree is compared row by row and proven once more.
5. Definitions whose rows are proven are ready; those that no row is made by are forgotten.
"""

import json
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from ehr.errors import Conflict
from ehr.operations.reindexing.asked import Asked
from ehr.operations.reindexing.begin import SWEEPING, Begun, begin
from ehr.operations.reindexing.proof import Proof, prove
from ehr.operations.reindexing.sweep import Tell, place_of, sweep
from ehr.operations.reindexing.told import told
from ehr.record import Record
from ehr.search import definitions
from ehr.search.parameters.custom import definition_of
from ehr.store import integrity, reindex_runs, reindexing, search_definitions
from ehr.store.reindex_runs import DONE, FAILED, Run
from ehr.store.reindexing import START
from ehr.store.search_definitions import Indexed

Outcome = dict[str, Any]
Phase = Callable[[str], Tell]  # a phase begins: who is told of its resources
AWAITING, PROVING = "awaiting earlier writes", "proving"


def quiet(_: str) -> Tell:
    """Tell nobody."""
    return lambda _: None


@dataclass(slots=True)
class Job:
    """A run that this process holds until it is done, or gives up."""

    record: Record
    begun: Begun
    _held: ExitStack

    def run(self, phase: Phase = quiet) -> Outcome:
        """Do everything and return what came of it."""
        with self._held:
            return _run(self.record, self.begun, phase)


def take(record: Record, asked: Asked) -> Job:
    """Begin a job, or go on with the one that was left. Raises Conflict where one is under way."""
    with ExitStack() as held:
        if not held.enter_context(reindex_runs.alone(record.database)):
            raise Conflict(
                "A `$reindex` is under way already. Ask GET [base]/$reindex-status how far it is, "
                "and begin another one when it is done.",
                code="lock-error",
            )
        begun = begin(record, asked, secrets.token_hex(8))
        return Job(record, begun, held.pop_all())


def _run(record: Record, begun: Begun, phase: Phase) -> Outcome:
    with record.database.read() as connection:
        moment = reindexing.moment(connection)
        rows = search_definitions.indexed(connection)
        # What comes later is made right: nobody has to run after it.
        known = reindexing.known_by_now(connection)
    behind = reindexing.behind(definitions.behind(rows, begun.run.generation))
    scope = begun.scope
    older, every = f"{scope} AND {behind}", f"{scope} AND {known}"
    run = _sweep(record, begun, every if begun.asked.compares else older, phase)
    run = _phase(record, run, AWAITING)
    phase(AWAITING)
    reindexing.await_earlier(record.database, moment)
    run = _visit(record, run, older, phase(SWEEPING), compares=False)
    run = _phase(record, run, PROVING)
    proof = prove(record, scope, behind, phase(PROVING))
    if not proof.holds:
        if scope == reindexing.EVERYTHING:
            record.database.write(integrity.clear_orphans)
        run = _visit(record, run, every, phase(SWEEPING), compares=True)
        proof = prove(record, scope, behind, phase(PROVING))
    return _finish(record, begun, run, proof)


def _sweep(record: Record, begun: Begun, condition: str, phase: Phase) -> Run:
    """Visit what is older, from where the run was left; a later phase begins again, quickly."""
    run = begun.run
    after = place_of(run) if run.phase == SWEEPING else START
    return _visit(record, run, condition, phase(SWEEPING), after, compares=begun.asked.compares)


def _visit(
    record: Record,
    run: Run,
    condition: str,
    tell: Tell,
    after: reindexing.Place = START,
    *,
    compares: bool,
) -> Run:
    swept = sweep(record, run, condition, after, tell, compares=compares)
    return replace(run, visited=run.visited + swept.visited, changed=run.changed + swept.changed)


def _phase(record: Record, run: Run, name: str) -> Run:
    values = {"phase": name, "at_key": None, "at_rid": None, "beat": record.clock()}
    record.database.write(lambda connection: reindex_runs.change(connection, run, **values))
    return replace(run, phase=name)


def _finish(record: Record, begun: Begun, run: Run, proof: Proof) -> Outcome:
    def work(connection: Any) -> Outcome:
        search_definitions.change(connection)
        wanted = definitions.wanted(connection)
        rows = search_definitions.indexed(connection)
        for one in rows:
            if _covered(one, begun) and one.until is not None:
                search_definitions.forget(connection, one)
            elif _covered(one, begun) and proof.holds:
                search_definitions.settle(connection, one, ready=True)
        left = search_definitions.indexed(connection)
        outcome = told(proof, left, wanted, run)
        state = DONE if proof.holds else FAILED
        text = json.dumps(outcome)
        reindex_runs.change(
            connection, run, state=state, phase=state, beat=record.clock(), result=text
        )
        return outcome

    outcome = record.database.write(work)
    record.definitions.refresh()
    return outcome


def _covered(one: Indexed, begun: Begun) -> bool:
    """Tell whether no row of an earlier making is left of any type that a definition is about."""
    if begun.asked.types is not None:
        return False  # resources of other types may contain such
    types = definition_of(one.url, one.definition).types
    return begun.types is None or types <= begun.types
