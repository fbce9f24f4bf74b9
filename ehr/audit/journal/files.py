"""The files of a journal: numbered segments, and one lock for as long as their writer lives.

    000000000042.lock            held by the process that is writer 42
    000000000042-000001.journal  its first segment

A lock that can be taken belongs to a process that is gone: what it left is replayed by whoever
takes it. Files are readable for their owner only, since queries name people.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BEGIN = b"EHR audit 1\n"
_IDENTITY = 16  # bytes that say of which database it is
HEADER = len(_BEGIN) + _IDENTITY
_MODE = 0o600


class ForeignJournal(Exception):
    """The file is no journal of this database."""


class Lock:
    """The lock of one writer, held until it is released or the process ends."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path

    def release(self, *, remove: bool) -> None:
        """Let go; `remove` where nothing of the writer is left."""
        if remove:
            with suppress(FileNotFoundError):
                self._path.unlink()
        os.close(self._descriptor)


def own_lock(folder: Path, writer: int) -> Lock:
    """Return the lock of a new writer. Raises OSError."""
    path = folder / f"{writer:012d}.lock"
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, _MODE)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return Lock(descriptor, path)
        os.close(descriptor)  # somebody took it for one that was left


@contextmanager
def left_locks(folder: Path) -> Iterator[list[tuple[int, Lock]]]:
    """Give the writers that are gone, oldest first, with their locks; all are let go at the end."""
    found: list[tuple[int, Lock]] = []
    try:
        for path in sorted(folder.glob("[0-9]*.lock")):
            lock = _try_lock(path)
            if lock is not None:
                found.append((int(path.stem), lock))
        yield found
    finally:
        for writer, lock in found:
            lock.release(remove=not segments(folder, writer))


def _try_lock(path: Path) -> Lock | None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return Lock(descriptor, path)
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def segments(folder: Path, writer: int) -> list[Path]:
    """Return the segments of a writer in their order."""
    return sorted(folder.glob(f"{writer:012d}-*.journal"))


def content_of(path: Path, identity: bytes) -> bytes:
    """Return what a segment holds behind its header. Raises ForeignJournal, OSError."""
    data = path.read_bytes()
    head = _BEGIN + identity
    if data[:HEADER] != head[: len(data)]:  # a header that was cut off holds nothing
        raise ForeignJournal(path.name)
    return data[HEADER:]


class Segment:
    """A segment that is written to: `end` is where sound content ends, `moved` what is safe."""

    def __init__(self, folder: Path, writer: int, number: int, identity: bytes) -> None:
        self.number = number
        self.path = folder / f"{writer:012d}-{number:06d}.journal"
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND
        self._descriptor = os.open(self.path, flags, _MODE)
        self.end = 0
        self._in_use = threading.Lock()
        self._is_open = True
        try:
            self.append(_BEGIN + identity)
            os.fsync(self._descriptor)
            _sync_folder(folder)
        except OSError:
            self.remove()
            raise
        self.moved = self.end

    def append(self, data: bytes) -> None:
        """Write at the end, whole or not at all. Raises OSError."""
        try:
            written = os.write(self._descriptor, data)
            if written < len(data):
                raise OSError(f"only {written} of {len(data)} bytes were written")
        except OSError:
            os.ftruncate(self._descriptor, self.end)
            raise
        self.end += len(data)

    def sync(self) -> None:
        """Wait until what was written is on the disk. Raises OSError."""
        with self._in_use:
            if self._is_open:
                os.fdatasync(self._descriptor)

    def unmoved(self, size: int) -> bytes:
        """Return content that is not moved yet, up to `size` bytes."""
        return os.pread(self._descriptor, min(size, self.end - self.moved), self.moved)

    def remove(self) -> None:
        """Remove the file: all of it is in the table."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        self.close()

    def close(self) -> None:
        """Let go of the file and leave it."""
        with self._in_use:
            self._is_open = False
            os.close(self._descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
