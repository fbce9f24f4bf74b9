"""What a journal holds: a frame for each request, so that its events are there together or not.

A frame is a mark, the length of what follows, its CRC-32, and its events. A file that was cut off
anywhere gives the frames before. Where something in the middle is damaged,
the next mark with a sound frame is looked for, and what lies between is told.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ehr.audit.event import Values, canonical, parse

_MARK = b"\xa5EHR"
_HEAD = struct.Struct(">4sII")


@dataclass(frozen=True, slots=True)
class Frame:
    """The events of one request, and where their frame ends."""

    end: int
    events: list[Values]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no frame. `is_tail`: nothing comes after them, so they were cut off."""

    start: int
    end: int
    is_tail: bool


def framed(events: Sequence[Values]) -> bytes:
    """Return a frame of these events."""
    content = canonical(events)
    return _HEAD.pack(_MARK, len(content), _checksum(content)) + content


def frames(data: bytes, start: int = 0) -> Iterator[Frame | Unreadable]:
    """Yield what a journal holds from `start` on, in its order."""
    while start < len(data):
        frame = _frame_at(data, start)
        if frame is not None:
            yield frame
            start = frame.end
            continue
        sound = _next_sound(data, start + 1)
        yield Unreadable(start, len(data) if sound is None else sound, sound is None)
        if sound is None:
            return
        start = sound


def size_at(data: bytes) -> int:
    """Return how many bytes the frame has that begins here; 0 where that can't be told."""
    if len(data) < _HEAD.size or not data.startswith(_MARK):
        return 0
    return _HEAD.size + int(_HEAD.unpack_from(data)[1])


def _next_sound(data: bytes, start: int) -> int | None:
    while (start := data.find(_MARK, start)) >= 0:
        if _frame_at(data, start) is not None:
            return start
        start += 1
    return None


def _frame_at(data: bytes, start: int) -> Frame | None:
    begin = start + _HEAD.size
    if begin > len(data):
        return None
    mark, length, checksum = _HEAD.unpack_from(data, start)
    end = begin + length
    if mark != _MARK or end > len(data):
        return None
    content = data[begin:end]
    if _checksum(content) != checksum:
        return None
    try:
        return Frame(end, parse(content))
    except ValueError:
        return None


def _checksum(content: bytes) -> int:
    # The length counts too, or a run of zeros would be a sound frame.
    return zlib.crc32(content, len(content) ^ 0x5EC0DE)
