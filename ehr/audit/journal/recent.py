"""The newest events of a journal as they were written, so that moving need not read them back.

To read a frame, check and decode it takes longer than to write it. Bounded: what finds no room is
read from the file.
"""

from collections import deque
from dataclasses import dataclass

from ehr.audit.event import Values
from ehr.audit.journal.files import Segment

RECENT = 4 << 20  # bytes of frames


@dataclass(frozen=True, slots=True)
class _Kept:
    segment: Segment
    start: int
    end: int
    events: list[Values]


class Recent:
    """Frames in their order, maybe with gaps. Not safe without its owner's lock."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._frames: deque[_Kept] = deque()

    def keep(self, segment: Segment, start: int, events: list[Values]) -> None:
        """Keep a frame that was written from `start` to the end of a segment, if there is room."""
        size = segment.end - start
        if self._size + size <= self._most:
            self._frames.append(_Kept(segment, start, segment.end, events))
            self._size += size

    def take(self, segment: Segment, most: int) -> tuple[int, list[Values]]:
        """Return where about so many events end that a segment has unmoved, and these.

        No events where the first such frame was not kept.
        """
        at, taken = segment.moved, list[Values]()
        while self._frames and len(taken) < most:
            first = self._frames[0]
            is_moved = first.segment.number < segment.number or (
                first.segment is segment and first.start < at
            )
            if not is_moved and (first.segment is not segment or first.start > at):
                break
            self._frames.popleft()
            self._size -= first.end - first.start
            if not is_moved:
                taken += first.events
                at = first.end
        return at, taken
