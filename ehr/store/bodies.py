"""Stored bodies: the document's own bytes, less what the server says of it, compressed.

A body keeps every byte of the members that were sent (numbers, order, escapes). `resourceType`,
`id`, `meta.versionId` and `meta.lastUpdated` are columns of the row; reading puts them in front.
So a body can be compressed before its version and time are known, and identical content is seen by
comparing bytes. Compression is zstd with a dictionary kept in the database (`dict_id`, 0 = none).
"""

import threading
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import files

import msgspec
import zstandard

from ehr.messages import Instant

_Members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode
_LEVEL = 3
# The dictionary this release writes with; older ones stay readable through the database.
CURRENT_DICTIONARY = 1


def strip(raw: bytes) -> bytes:
    """Return what is stored of a document: the rest of `meta`, then every other member as sent."""
    members = _Members.decode(raw)
    meta = members.pop("meta", None)
    members.pop("resourceType", None)
    members.pop("id", None)
    rest = _inside(members)
    if meta is None:
        return b"}" + rest + b"}"
    kept = _Members.decode(meta)
    kept.pop("versionId", None)
    kept.pop("lastUpdated", None)
    return _inside(kept) + b"}" + rest + b"}"


def _inside(members: dict[str, msgspec.Raw]) -> bytes:
    """Return members with a comma in front, without the braces around them."""
    return b"," + _encode(members)[1:-1] if members else b""


def compose(type: str, id: str, version: int, last_updated: Instant, stored: bytes) -> bytes:
    """Return the resource as JSON bytes from its columns and its stored body."""
    head = (
        f'{{"resourceType":"{type}","id":"{id}","meta":{{"versionId":"{version}",'
        f'"lastUpdated":"{instant(last_updated)}"'
    )
    return head.encode() + stored


def instant(milliseconds: Instant) -> str:
    """Return a FHIR instant in UTC with milliseconds."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


@cache
def shipped_dictionary() -> bytes:
    """Return the dictionary trained for this release."""
    return files("ehr.store").joinpath(f"bodies-{CURRENT_DICTIONARY}.dict").read_bytes()


class Compressor:
    """Compresses with the current dictionary, decompresses with any known one; thread-safe."""

    def __init__(self, dictionaries: dict[int, bytes]) -> None:
        self._dictionaries = {
            number: zstandard.ZstdCompressionDict(data) for number, data in dictionaries.items()
        }
        self._dictionaries[CURRENT_DICTIONARY].precompute_compress(level=_LEVEL)
        self._local = threading.local()

    def compress(self, stored: bytes) -> bytes:
        """Return a body compressed with the current dictionary."""
        compressor = getattr(self._local, "compressor", None)
        if compressor is None:
            compressor = zstandard.ZstdCompressor(
                dict_data=self._dictionaries[CURRENT_DICTIONARY], write_dict_id=False
            )
            self._local.compressor = compressor
        packed: bytes = compressor.compress(stored)
        return packed

    def decompress(self, body: bytes, dict_id: int) -> bytes:
        """Return the stored body of a row, empty for a tombstone."""
        if not body:
            return b""
        known = self._local.__dict__.setdefault("decompressors", {})
        decompressor = known.get(dict_id)
        if decompressor is None:
            decompressor = known[dict_id] = zstandard.ZstdDecompressor(
                dict_data=self._dictionaries.get(dict_id)
            )
        stored: bytes = decompressor.decompress(body)
        return stored
