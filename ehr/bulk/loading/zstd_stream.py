"""Zstandard as a stream that can be read, and that says when a file is cut off.

The library's own reader ends without a word in the middle of a frame: half a file would be taken
for a whole one. RFC 8878 §3.1: a file is frames, one after another.
"""

import io
from typing import IO, Any

import zstandard

_PIECE = 16 * 1024


class ZstdStream(io.RawIOBase):
    """What a compressed stream holds. Reading raises EOFError where it ends too soon."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._frame: Any = None
        self._rest = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as one piece goes; return how much that is, 0 at the end."""
        while not self._rest:
            piece = self._packed.read(_PIECE)
            if not piece:
                if self._frame is not None:
                    raise EOFError("Compressed file ended before the end of its last frame")
                return 0
            self._rest = self._unpacked(piece)
        size = min(len(self._rest), len(buffer))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def _unpacked(self, piece: bytes) -> bytes:
        parts = []
        while piece:
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            parts.append(self._frame.decompress(piece))
            piece = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None
        return b"".join(parts)
