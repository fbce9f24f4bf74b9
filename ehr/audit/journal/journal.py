"""The journal of one process: `add` returns when the kernel has the event, so kill -9 loses none.

One thread has the disk take it, at most every 50 ms: that much is lost when power fails. Another
moves it into the table. What is not moved yet is bounded: then `add` waits, and at last refuses.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ehr.audit.event import AuditRow, Place, Values, numbered
from ehr.audit.failing import AuditFailed
from ehr.audit.journal.files import Segment, own_lock
from ehr.audit.journal.frames import Frame, framed, frames, size_at
from ehr.audit.journal.moving import AT_ONCE, move, replay
from ehr.audit.journal.recent import RECENT, Recent
from ehr.store.engine import Database
from ehr.turns import waiting

_LOG = logging.getLogger("ehr.audit")
_SYNC_EVERY = 0.05  # seconds
_MOVE_EVERY = 0.1
_REPLAY_EVERY = 5.0
_SEGMENT = 16 << 20  # bytes after which the next segment begins
_MOST = 256 << 20  # bytes that may wait to be moved
_PATIENCE = 5.0  # seconds that an event waits for room
_READ = 1 << 20


class Journal:
    """The events of one process, written to its own files in a folder."""

    def __init__(
        self,
        database: Database,
        writer: int,
        folder: Path,
        identity: bytes,
        *,
        most: int = _MOST,
        segment: int = _SEGMENT,
        patience: float = _PATIENCE,
        recent: int = RECENT,
    ) -> None:
        self._database, self._folder, self._identity = database, folder, identity
        self._most, self._segment_size, self._patience = most, segment, patience
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._foreign: set[str] = set()
        self._replay()
        self._next = Place(writer, 1, 1)
        self._number = 1
        self._file_lock = own_lock(folder, writer)
        self._segments = [Segment(folder, writer, 1, identity)]
        self._recent = Recent(recent)
        self._waiting = 0  # bytes
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._moving = threading.Lock()
        self._is_dirty = threading.Event()
        self._is_over = threading.Event()
        self._write_fault: Exception | None = None
        self._sync_fault: Exception | None = None
        self._threads = [
            self._thread(self._sync_often, "audit-sync"),
            self._thread(self._move_often, "audit-move"),
        ]

    def _thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def add(self, added: Sequence[AuditRow]) -> None:
        """Return once these events are in the journal. Raises AuditFailed."""
        with self._room:
            if self._waiting >= self._most:
                with waiting():
                    self._room.wait_for(self._has_room, self._patience)
            if self._is_over.is_set() or not self._has_room():
                raise AuditFailed
            if self._sync_fault is not None:
                raise AuditFailed from self._sync_fault
            try:
                self._write(added)
            except OSError as error:
                self._write_fault = _told(error, self._write_fault)
                raise AuditFailed from error
            self._write_fault = None
        self._is_dirty.set()

    def _has_room(self) -> bool:
        return self._waiting < self._most

    def _write(self, added: Sequence[AuditRow]) -> None:
        place = self._next
        events = numbered(added, place)
        data = framed(events)
        if self._segments[-1].end >= self._segment_size:
            self._begin_segment()
        segment = self._segments[-1]
        segment.append(data)
        self._recent.keep(segment, segment.end - len(data), events)
        self._waiting += len(data)
        self._next = Place(place.writer, place.epoch, place.n + len(added))

    def _begin_segment(self) -> None:
        self._segments[-1].sync()
        self._number += 1
        self._segments.append(
            Segment(self._folder, self._next.writer, self._number, self._identity)
        )

    def healthy(self) -> bool:
        """Tell whether events are taken: the last write and the last sync went well."""
        is_well = self._write_fault is None and self._sync_fault is None
        return is_well and self._has_room() and not self._is_over.is_set()

    def close(self) -> None:
        """Move what waits, then leave nothing behind; what can't be moved stays to be replayed."""
        with self._lock:
            self._is_over.set()
        self._is_dirty.set()
        for thread in self._threads:
            thread.join()
        try:
            self.move()
        except Exception:
            _LOG.exception("audit_not_moved it is replayed at the next start")
        is_done = not self._waiting
        for segment in self._segments:
            segment.remove() if is_done else segment.close()
        self._file_lock.release(remove=is_done)

    def _sync_often(self) -> None:
        while not self._is_over.is_set():
            self._is_dirty.wait()
            self._is_dirty.clear()
            try:
                self._segments[-1].sync()
                self._sync_fault = None
            except OSError as error:
                self._sync_fault = _told(error, self._sync_fault)
                self._is_dirty.set()
            self._is_over.wait(_SYNC_EVERY)

    def _move_often(self) -> None:
        turns = 0
        while not self._is_over.wait(_MOVE_EVERY):
            turns += 1
            try:
                self.move()
                if turns % int(_REPLAY_EVERY / _MOVE_EVERY) == 0:
                    self._replay()
            except Exception as error:
                _LOG.warning("audit_not_moved it is tried again: %s", type(error).__name__)

    def move(self) -> None:
        """Move all that waits into the table. Raises what the database raises."""
        with self._moving:
            while self._waiting:
                self._move_some()

    def _move_some(self) -> None:
        with self._lock:
            self._remove_moved()
            segment = self._segments[0]
            end, events = self._recent.take(segment, AT_ONCE)
        if not events:
            end, events = _read_back(segment)
        move(self._database, events)
        with self._room:
            self._waiting -= end - segment.moved
            segment.moved = end
            self._remove_moved()
            self._room.notify_all()

    def _remove_moved(self) -> None:
        """Remove segments of which all is in the table; one that was moved first goes as soon as
        another has begun."""
        while len(self._segments) > 1 and self._segments[0].moved == self._segments[0].end:
            self._segments.pop(0).remove()

    def _replay(self) -> None:
        told = replay(self._database, self._folder, self._identity)
        for name in told.foreign:
            if name not in self._foreign:
                _LOG.error("audit_journal_of_another_database file=%s is left as it is", name)
        self._foreign.update(told.foreign)


def _read_back(segment: Segment) -> tuple[int, list[Values]]:
    """Return events that a segment holds unmoved, and where they end. Raises OSError."""
    content = segment.unmoved(_READ)
    if len(content) < (needed := size_at(content)):
        content = segment.unmoved(needed)
    end, events = 0, list[Values]()
    for frame in frames(content):
        if not isinstance(frame, Frame) or len(events) >= AT_ONCE:
            break  # what begins a frame is read with the next
        end = frame.end
        events += frame.events
    if not events:
        raise OSError(f"{segment.path.name} can't be read back")
    return segment.moved + end, events


def _told(error: OSError, before: Exception | None) -> Exception:
    """Tell of a fault, once until it is over."""
    if before is None:
        _LOG.error("audit_journal_fails %s", error)
    return error
