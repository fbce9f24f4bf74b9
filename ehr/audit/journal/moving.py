"""From journals into the table: once each, however often it is tried.

Events of a writer come in the order of their numbers, and what of them is in the table is told by
the highest number there. So segments are moved oldest first, by one process at a time.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection

from ehr.audit import rows
from ehr.audit.event import Values
from ehr.audit.journal.files import ForeignJournal, content_of, left_locks, segments
from ehr.audit.journal.frames import Unreadable, frames
from ehr.store.engine import Database

_LOG = logging.getLogger("ehr.audit")
AT_ONCE = 1_000  # events of one transaction
_DAMAGED = ".damaged"
_N = 2  # where the number of an event stands in its row


@dataclass(slots=True)
class Replayed:
    """What came of journals that were left: events, bytes cut off at their ends, damaged files."""

    events: int = 0
    cut_off: int = 0
    damaged: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()  # of another database: left as they are


def move(database: Database, events: Sequence[Values]) -> None:
    """Add the events of one epoch that the table lacks; they come in the order of numbers."""
    if events:
        database.write(partial(_move, events=events))


def _move(connection: Connection, events: Sequence[Values]) -> None:
    writer, epoch, first = events[0][:3]
    known = rows.newest(connection, writer, epoch)
    missing = events if known < first else [event for event in events if event[_N] > known]
    for run in _runs(missing):
        rows.add(connection, run)


def _runs(events: Sequence[Values]) -> Iterator[Sequence[Values]]:
    """Yield what follows one upon another: a damaged journal may have gaps."""
    if not events:
        return
    if events[-1][_N] - events[0][_N] == len(events) - 1:
        yield events
        return
    breaks = [n for n, (a, b) in enumerate(pairwise(events), 1) if a[_N] + 1 != b[_N]]
    for start, end in pairwise((0, *breaks, len(events))):
        yield events[start:end]


def replay(database: Database, folder: Path, identity: bytes) -> Replayed:
    """Move what processes left that are gone. Raises what the database raises."""
    told = Replayed()
    with left_locks(folder) as left:
        for writer, _lock in left:
            for path in segments(folder, writer):
                _replay_one(database, path, identity, told)
    if told.events or told.damaged:
        _LOG.info("audit_replayed events=%d cut_off=%d", told.events, told.cut_off)
    return told


def _replay_one(database: Database, path: Path, identity: bytes, told: Replayed) -> None:
    try:
        content = content_of(path, identity)
    except ForeignJournal:
        told.foreign += (path.name,)
        return
    waiting: list[Values] = []
    is_damaged = False
    for one in frames(content):
        if isinstance(one, Unreadable):
            is_damaged |= not one.is_tail
            told.cut_off += one.end - one.start if one.is_tail else 0
            continue
        waiting += one.events
        told.events += len(one.events)
        if len(waiting) >= AT_ONCE:
            move(database, waiting)
            waiting = []
    move(database, waiting)
    if is_damaged:
        # Kept for whoever looks into it; `ehr audit verify` tells which numbers are missing.
        path.rename(path.with_name(path.name + _DAMAGED))
        told.damaged += (path.name,)
        _LOG.error("audit_journal_damaged file=%s", path.name)
    else:
        path.unlink()
