"""Read a request's body: bounded, decompressed, and never longer in memory than the limit.

Content-Length may be missing (chunked), wrong or no number; a gzip or zstd body may swell. RFC 9110
§8.4 and §8.6.
"""

import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import zstandard

from ehr.errors import Busy, Invalid, TimedOut, TooLarge, UnsupportedMediaType

_STEP = 256 * 1024
# The window that RFC 9659 lets a client use.
_ZSTD_WINDOW = 8 * 1024 * 1024
# More than 2 GiB has in the 64 KiB parts that some tools make.
_MOST_PARTS = 65_536
_FEW = 1024


def read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """Return the body as it is after decompression; empty when there is none."""
    raw = _received(environ, limit)
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding in ("", "identity") or not raw:
        return raw
    if coding in ("gzip", "x-gzip"):
        return _gunzip(raw, limit)
    if coding == "zstd":
        return _unzstd(raw, limit)
    raise UnsupportedMediaType(
        f"The content encoding {coding[:40]} is not read. Send gzip, zstd or none.",
        headers=(("Accept-Encoding", "gzip, zstd"),),
    )


def tells_its_end(environ: Mapping[str, Any]) -> bool:
    """Tell whether a body that broke off is told from a whole one: by its length or its coding.

    Servers hand over what came of a chunked body as if that were all.
    """
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    return not _is_chunked(environ) or coding in ("gzip", "x-gzip", "zstd")


def discard(environ: Mapping[str, Any], limit: int) -> None:
    """Take what is left of a large body off the wire, as much as may be sent.

    A server that closes while the body still comes in resets the connection, and the caller never
    sees the answer. A small body waits in buffers, and one that the caller offers but has not begun
    (Expect, RFC 9110 §10.1.1) is not to be asked for.
    """
    if "HTTP_EXPECT" in environ or not _has_end(environ) or not _is_large(environ):
        return
    stream = environ["wsgi.input"]
    # What does not arrive, or has no place to wait, is not taken; the refusal stands already.
    with suppress(Busy, TimedOut):
        while limit > 0 and (part := stream.read(_STEP)):
            limit -= len(part)


def _received(environ: Mapping[str, Any], limit: int) -> bytes:
    stated = str(environ.get("CONTENT_LENGTH") or "").strip()
    if _is_chunked(environ) or not stated:
        # Without an end that the server marks, reading on would wait for ever.
        return _read_on(environ, limit) if _has_end(environ) else b""
    if not (stated.isascii() and stated.isdigit()):
        raise Invalid("Content-Length is no number. Send the length of the body in bytes.")
    length = int(stated[:20])
    if length > limit:
        raise _too_large(limit)
    body = _read_exactly(environ["wsgi.input"], length)
    if len(body) < length:
        raise Invalid(
            f"The body ended after {len(body)} of {length} bytes. Send it again.",
            code="incomplete",
        )
    return body


def _is_large(environ: Mapping[str, Any]) -> bool:
    stated = str(environ.get("CONTENT_LENGTH") or "0")
    is_number = stated.isascii() and stated.isdigit()
    return _is_chunked(environ) or (is_number and int(stated[:20]) > _STEP)


def _is_chunked(environ: Mapping[str, Any]) -> bool:
    return "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()


def _has_end(environ: Mapping[str, Any]) -> bool:
    return bool(environ.get("wsgi.input_terminated")) and "wsgi.input" in environ


def _read_on(environ: Mapping[str, Any], limit: int) -> bytes:
    stream = environ["wsgi.input"]
    parts: list[bytes] = []
    total = 0
    while part := stream.read(_STEP):
        parts.append(part)
        total += len(part)
        if total > limit:
            raise _too_large(limit)
    return b"".join(parts)


def _read_exactly(stream: Any, length: int) -> bytes:
    parts: list[bytes] = []
    while length > 0 and (part := stream.read(length)):
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _gunzip(raw: bytes, limit: int) -> bytes:
    try:
        return _unpacked(raw, limit, lambda: zlib.decompressobj(wbits=31), 16 * _FEW)
    except zlib.error:
        raise Invalid("The body is no gzip, though Content-Encoding says so.") from None


def _unzstd(raw: bytes, limit: int) -> bytes:
    begin = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj
    try:
        return _unpacked(raw, limit, begin, _FEW)
    except zstandard.ZstdError:
        raise Invalid(
            "The body is no zstd with a window of at most 8 MiB, though Content-Encoding says so."
        ) from None


def _unpacked(raw: bytes, limit: int, begin: Callable[[], Any], widest: int) -> bytes:
    """Return what is packed in parts, one behind the other: gzip's members, zstd's frames.

    Steps are small because what comes of one is not bounded (16 MiB of 16 KiB of gzip, 32 MiB of
    1 KiB of zstd), and begin smaller because what is behind a part's end is copied.
    """
    rest = memoryview(raw)
    unpacked: list[bytes] = []
    room = limit
    for _ in range(_MOST_PARTS):
        part, step = begin(), _FEW
        while not part.eof:
            if not rest:
                raise Invalid("The packed body ends too early. Send it again.", code="incomplete")
            given = rest[:step]
            unpacked.append(part.decompress(given))
            room -= len(unpacked[-1])
            if room < 0:
                raise _too_large(limit)
            rest = rest[len(given) - len(part.unused_data) :]
            step = min(2 * step, widest)
        if not rest:
            return b"".join(unpacked)
    raise Invalid(f"The packed body has more than {_MOST_PARTS} parts. Pack it as one.")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {limit} bytes. Send less at once: split a Bundle, or send an "
        "attachment as a raw Binary."
    )
