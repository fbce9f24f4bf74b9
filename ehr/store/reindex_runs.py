"""How far each `$reindex` has come, and that no two are under way.

A run is a row; whoever works on it holds a lock that ends with its process, and its name stands in
the row: one that lost its lock without noticing finds another's name there and stops.
"""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from ehr.store.engine import Database
from ehr.store.tables import reindex_run as table

RUNNING, DONE, FAILED = "running", "done", "failed"
_LOCK = 0x5EA2C4


class TakenOver(Exception):
    """Another process goes on with this run."""


@dataclass(frozen=True, slots=True)
class Run:
    """One `$reindex`: what was asked, and all up to (`at_key`, `at_rid`) of its phase is done."""

    run: int
    state: str
    holder: str
    asked: str
    generation: int
    begun: int
    beat: int
    phase: str
    at_key: int | None
    at_rid: int | None
    visited: int
    changed: int
    result: str | None

    @property
    def outcome(self) -> dict[str, Any]:
        """Return what came of it, or is known so far."""
        found: dict[str, Any] = json.loads(self.result) if self.result else {}
        return found


def newest(connection: Connection) -> Run | None:
    """Return the last run, whatever became of it."""
    row = connection.execute(select(table).order_by(table.c.run.desc()).limit(1)).one_or_none()
    return Run(*row) if row is not None else None


def add(connection: Connection, run: Run) -> None:
    """Begin a run."""
    values = {column.name: getattr(run, column.name) for column in table.columns}
    connection.execute(insert(table).values(**values))


def change(connection: Connection, run: Run, **values: Any) -> None:
    """Note how a run goes on. Raises TakenOver where another holds it."""
    mine = (table.c.run == run.run) & (table.c.holder == run.holder)
    if connection.execute(update(table).where(mine).values(**values)).rowcount != 1:
        raise TakenOver


def take(connection: Connection, run: Run, holder: str) -> None:
    """Go on with a run that another process left."""
    connection.execute(update(table).where(table.c.run == run.run).values(holder=holder))


@contextlib.contextmanager
def alone(database: Database) -> Iterator[bool]:
    """Hold the one lock of `$reindex` and give True; False where somebody has it."""
    if database.dialect == "postgresql":
        with database.read() as connection:
            taken = connection.execute(text(f"SELECT pg_try_advisory_lock({_LOCK})")).scalar_one()
            try:
                yield bool(taken)
            finally:
                if taken:
                    connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
        return
    path = Path(database.url.database or "")
    with path.with_name(f"{path.name}.reindex").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True  # closing the file gives it back
