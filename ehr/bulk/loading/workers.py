"""Processes that load units directly into the store, as many as the machine has cores.

Each checks, indexes and compresses for itself and takes its turn to write: SQLite lets one process
write at a time, PostgreSQL all.
"""

import gc
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from types import TracebackType

from ehr.bulk.loading.one_unit import load_unit
from ehr.bulk.loading.results import Outcome
from ehr.bulk.loading.units import Unit
from ehr.record import Record, open_record
from ehr.settings import Settings

Loaded = tuple[Unit, Outcome]
# Documents have no cycles: looking for some at Python's pace takes a sixth of the time.
_SELDOM = (100_000, 20, 20)
_WAITING = 2  # units in line for each process: no process waits, and little is held in memory


class InProcess:
    """Loads units one after another, where starting processes would take longer than loading."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def load(self, units: Iterable[Unit]) -> Iterator[Loaded]:
        """Load units; yield each with what became of it."""
        with _seldom_collected():
            for unit in units:
                yield unit, load_unit(self._record, unit)


class Workers:
    """A pool of loading processes on one database, which must be migrated."""

    def __init__(self, settings: Settings, processes: int) -> None:
        self._processes = processes
        # Forked before this process has threads and connections, they begin with all that is
        # imported here: a second less for each.
        way = "fork" if sys.platform == "linux" else "spawn"
        gc.freeze()
        self._pool = ProcessPoolExecutor(
            processes,
            mp_context=multiprocessing.get_context(way),
            initializer=_begin,
            initargs=(settings,),
        )
        self._pool.submit(_open).result()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def load(self, units: Iterable[Unit]) -> Iterator[Loaded]:
        """Load units side by side; yield each with what became of it, as they are done."""
        return side_by_side(self._submit, units, self._processes * _WAITING)

    def _submit(self, unit: Unit) -> "Future[Outcome]":
        return self._pool.submit(_load, unit)


def side_by_side(
    submit: Callable[[Unit], "Future[Outcome]"], units: Iterable[Unit], most: int
) -> Iterator[Loaded]:
    """Submit units, `most` at a time, and yield each when it is done."""
    running: dict[Future[Outcome], Unit] = {}
    for unit in units:
        running[submit(unit)] = unit
        if len(running) >= most:
            yield from _finished(running)
    while running:
        yield from _finished(running)


def _finished(running: "dict[Future[Outcome], Unit]") -> Iterator[Loaded]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        yield running.pop(future), future.result()


_record: list[Record] = []  # one per process, opened once


def _begin(settings: Settings) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    _record.append(open_record(settings))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SELDOM)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _open() -> None:
    """Do nothing: the first call starts all processes."""


def _load(unit: Unit) -> Outcome:
    return load_unit(_record[0], unit)
