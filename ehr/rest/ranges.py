"""One byte range of raw content: Range and If-Range (RFC 9110 §14).

Several ranges at once are answered with the whole, which the RFC allows.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ehr.messages import Instant
from ehr.rest.preferences import http_date

_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)


class RangeNotSatisfiable(Exception):
    """The range begins behind the end of the content."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of `size` bytes, `last` included."""

    first: int
    last: int
    size: int

    @property
    def length(self) -> int:
        """The number of bytes in the part."""
        return self.last - self.first + 1

    @property
    def content_range(self) -> str:
        """The value of the Content-Range header."""
        return f"bytes {self.first}-{self.last}/{self.size}"


def wanted_range(
    header: str | None, if_range: str | None, size: int, tag: str, modified: Instant | None
) -> ByteRange | None:
    """Return the range to send, None for the whole; raise RangeNotSatisfiable."""
    found = _RANGE.fullmatch(header) if header else None
    if found is None or (found[1] == "" and found[2] == ""):
        return None
    if if_range and not _is_unchanged(if_range, tag, modified):
        return None
    return _range(found[1], found[2], size)


def cut(chunks: Iterable[bytes], part: ByteRange) -> Iterator[bytes]:
    """Yield the bytes of a range out of the chunks of the whole."""
    skip, left = part.first, part.length
    try:
        for chunk in chunks:
            piece = chunk[skip : skip + left]
            skip = max(0, skip - len(chunk))
            left -= len(piece)
            if piece:
                yield piece
            if not left:
                return
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _range(first: str, last: str, size: int) -> ByteRange | None:
    if first == "":
        wanted = min(int(last), size)
        if wanted == 0:
            raise RangeNotSatisfiable
        return ByteRange(size - wanted, size - 1, size)
    if last != "" and int(last) < int(first):
        return None
    if int(first) >= size:
        raise RangeNotSatisfiable
    return ByteRange(int(first), min(int(last or size), size - 1), size)


def _is_unchanged(if_range: str, tag: str, modified: Instant | None) -> bool:
    """A version's content never changes, so its weak tag is as good as a strong one."""
    if '"' in if_range:
        return bool(tag) and if_range.strip() == tag
    return modified is not None and http_date(if_range) == modified // 1000 * 1000
