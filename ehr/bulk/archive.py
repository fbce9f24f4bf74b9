"""A portable backup: a zip of each table's rows (msgpack, zstd) and a manifest that proves them.

The manifest is written last, so that a backup that was cut off is seen to be none.
"""

import json
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard

from ehr.store.scan import Row

FORMAT = 1
_LENGTH = struct.Struct(">I")
_MANIFEST = "manifest.json"
_DECODER = msgspec.msgpack.Decoder(list[tuple[Any, ...]])


class NotABackup(Exception):
    """A file that is no backup, or not a whole one: `str()` says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: the schema it fits and, for each table, (rows, digest)."""

    revision: str
    engine: str
    created: str
    tables: dict[str, tuple[int, str]]


class Writer:
    """Writes a backup into a new file."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "x", zipfile.ZIP_STORED, allowZip64=True)

    def table(self, name: str, slices: Iterator[list[Row]]) -> None:
        """Write a table's rows."""
        with self._zip.open(f"{name}.rows.zst", "w", force_zip64=True) as member:
            compressor = zstandard.ZstdCompressor(level=3)
            with compressor.stream_writer(member, closefd=False) as packed:
                for rows in slices:
                    data = msgspec.msgpack.encode(rows)
                    packed.write(_LENGTH.pack(len(data)))
                    packed.write(data)

    def close(self, manifest: Manifest) -> None:
        """Write the manifest and finish the file."""
        self._zip.writestr(
            _MANIFEST,
            json.dumps(
                {
                    "format": FORMAT,
                    "revision": manifest.revision,
                    "engine": manifest.engine,
                    "created": manifest.created,
                    "tables": manifest.tables,
                },
                indent=2,
            ),
        )
        self._zip.close()


class Reader:
    """Reads a backup. Raises NotABackup."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            found = json.loads(self._zip.read(_MANIFEST))
        except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
            raise NotABackup(f"{path} is no backup, or was cut off: {error}") from error
        if found.get("format") != FORMAT:
            raise NotABackup(f"{path} was made by another release (format {found.get('format')}).")
        parts = {name: (rows, digest) for name, (rows, digest) in found["tables"].items()}
        self.manifest = Manifest(found["revision"], found["engine"], found["created"], parts)

    def table(self, name: str) -> Iterator[list[Row]]:
        """Yield a table's rows in slices."""
        with self._zip.open(f"{name}.rows.zst") as member:
            stream = zstandard.ZstdDecompressor().stream_reader(member)
            while head := _exactly(stream, _LENGTH.size):
                yield _DECODER.decode(_exactly(stream, _LENGTH.unpack(head)[0]))

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def _exactly(stream: IO[bytes] | Any, size: int) -> bytes:
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    if size and parts:
        raise NotABackup("The backup ends in the middle of a table.")
    return b"".join(parts)
