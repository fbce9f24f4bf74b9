"""The one writing thread of an SQLite process: up to 64 waiting writes share one durable COMMIT.

Processes take turns by a file lock, where the kernel queues them fairly. Each write has its own
savepoint, so a refused one takes nothing of the others with it; callers wake after the COMMIT.
"""

import contextlib
import fcntl
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from ehr.store.drafts import LostRace
from ehr.store.sessions.failures import collided
from ehr.turns import waiting

T = TypeVar("T")
_GROUP = 64


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: BaseException | None = None


class SqliteWriter:
    """Runs writes one after another in its own thread."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._lock_path = path.with_name(path.name + ".lock")
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Queue a write, wait until it is durable, and return its result or raise its error."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a write was started inside a write")
        job = _Job(work)
        self._queue.put(job)
        self._start()
        with waiting():
            job.done.wait()
        if isinstance(job.error, LostRace):
            raise collided() from None
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def run_shared(self, work: Callable[[Connection], T], _part: Any, _write_parts: Any) -> T:
        """Run a write, which shares its COMMIT like every other."""
        return self.run(work)

    def close(self) -> None:
        """Let queued writes finish, then stop the thread."""
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._engine.dispose()

    def _start(self) -> None:
        # Lazily, so that a server may fork its workers after opening the database.
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        try:
            with self._engine.connect() as connection:
                # For SQLAlchemy one transaction without end, so that nobody else commits; the
                # real ones are begun and ended below.
                connection.begin()
                while (job := self._queue.get()) is not None:
                    self._group(connection, job)
        except BaseException as error:
            # No connection: whoever waits is told, and the next write tries again.
            with self._starting:
                self._thread = None
            self._fail_waiting(error)

    def _fail_waiting(self, error: BaseException) -> None:
        while (job := self._next()) is not None:
            job.error = error
            job.done.set()

    def _group(self, connection: Connection, first: _Job) -> None:
        """Run the first job and those waiting behind it in one transaction."""
        jobs: list[_Job] = []
        try:
            with self._turn():
                _run(connection, "BEGIN IMMEDIATE")
                job: _Job | None = first
                while job is not None:
                    jobs.append(job)
                    _attempt(connection, job)
                    job = self._next() if len(jobs) < _GROUP else None
                _run(connection, "COMMIT")
        except BaseException as error:
            _roll_back(connection)
            for job in jobs or [first]:
                job.result, job.error = None, job.error or error
        for job in jobs or [first]:
            job.done.set()

    def _next(self) -> _Job | None:
        try:
            job = self._queue.get_nowait()
        except queue.Empty:
            return None
        if job is None:  # closing: come back to it after this group
            self._queue.put(None)
        return job

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with open(self._lock_path, "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield  # closing the file gives the turn back


def _attempt(connection: Connection, job: _Job) -> None:
    _run(connection, "SAVEPOINT job")
    try:
        job.result = job.work(connection)
    except BaseException as error:
        job.error = error
        _run(connection, "ROLLBACK TO job")
    _run(connection, "RELEASE job")


def _roll_back(connection: Connection) -> None:
    with contextlib.suppress(Exception):
        _run(connection, "ROLLBACK")


def _run(connection: Connection, statement: str) -> None:
    # On the driver's own connection: four of these frame every write.
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()
