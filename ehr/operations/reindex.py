"""$reindex and $reindex-status: index rows made again, and how far that is. Of this server, not R4.

Answers when it is done within a few seconds; else 202, and it goes on. Whoever asks later, in
whatever process, sees by `$reindex-status` how far it is and what came of it. One that was stopped
goes on with the next POST. Operators only: it is about the server, not about the record.
"""

import logging
import threading
from typing import Any

from auth.principal import Principal
from ehr.errors import NotFound
from ehr.messages import Interaction, Resource, Result
from ehr.operations import given
from ehr.operations.reindexing import told
from ehr.operations.reindexing.asked import asked
from ehr.operations.reindexing.job import Job, Outcome, take
from ehr.record import Record
from ehr.search import definitions
from ehr.store import reindex_runs, search_definitions
from ehr.store.bodies import instant
from ehr.store.reindex_runs import RUNNING, Run
from fhir_profiles import json_format

_PATIENCE = 5.0  # seconds that a caller waits for the end
_ALIVE = 60_000  # milliseconds in which a run gives a sign of life
_LOG = logging.getLogger("ehr.reindex")
_TYPES = {str: "valueString", int: "valueInteger"}


def reindex(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Begin a run, or go on with one that was stopped; wait a little for its end."""
    pairs = given.texts(interaction, ("type", "parameter"))
    types = [one for name, value in pairs if name == "type" for one in value.split(",")]
    parameters = [value for name, value in pairs if name == "parameter"]
    job = take(record, asked(types, parameters))
    worker = _Worker(job)
    worker.start()
    worker.join(0 if interaction.preferences.is_async else _PATIENCE)
    if worker.error is not None:
        raise worker.error
    if worker.outcome is not None:
        return Result(status=200, body=status_body(record))
    where = ("Content-Location", f"{interaction.base}/$reindex-status")
    return Result(status=202, body=status_body(record), headers=(where,))


def reindex_status(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Tell how far the last run is, or what came of it, and in which state definitions are."""
    given.texts(interaction, ())
    return Result(status=200, body=status_body(record))


class _Worker(threading.Thread):
    """Does a job beside the requests; it ends with the process, and goes on in another one."""

    def __init__(self, job: Job) -> None:
        super().__init__(name="reindex", daemon=True)
        self._job = job
        self.outcome: Outcome | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        """Do it, and keep what came of it."""
        try:
            self.outcome = self._job.run()
        except Exception as error:
            _LOG.error("reindex_stopped error=%s", type(error).__name__)
            _LOG.debug("reindex_stopped_detail", exc_info=error)
            self.error = error


def status_body(record: Record) -> bytes:
    """Return the Parameters that tell of the last run and of the definitions."""
    with record.database.read() as connection:
        run = reindex_runs.newest(connection)
        rows = search_definitions.indexed(connection)
        wanted = definitions.wanted(connection)
    parts = [_state(record, run)] if run is not None else []
    parts += [_part("definition", one) for one in told.states(rows, wanted)]
    if not parts:
        raise NotFound("There was no `$reindex` yet, and there is nothing to be indexed by.")
    parts += _counts(run) if run is not None else []
    return json_format.serialise({"resourceType": "Parameters", "parameter": parts})


def _state(record: Record, run: Run) -> Resource:
    stopped = run.state == RUNNING and record.clock() - run.beat > _ALIVE
    return _part(
        "run",
        {
            "number": run.run,
            "state": "stopped" if stopped else run.state,
            "phase": run.phase,
            "begun": instant(run.begun),
            "last-sign": instant(run.beat),
            "visited": run.visited,
            "changed": run.changed,
        },
    )


def _counts(run: Run) -> list[Resource]:
    names = {"types": "type", "tables": "table", "parameters": "parameter",
             "disagreements": "disagreement", "unfit": "unfit"}  # fmt: skip
    return [_part(name, one) for many, name in names.items() for one in run.outcome.get(many, ())]


def _part(name: str, inside: dict[str, Any]) -> Resource:
    parts = [{"name": key, _TYPES[type(value)]: value} for key, value in inside.items()]
    return {"name": name, "part": parts}
