"""The current resources as NDJSON, from one committed state (R4 Bulk Data's file format).

One file a type in a folder, or all in one file; .gz and .zst by name. Content that is kept beside
the record comes back into its Binary.
"""

import base64
import contextlib
import gzip
import io
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, Any, cast

import zstandard
from sqlalchemy import Connection

from ehr.record import Record
from ehr.store import blobs
from ehr.store.bodies import compose
from ehr.store.engine import is_postgres
from ehr.store.locator import locate
from ehr.store.scan import Row, snapshot, stream
from fhir_profiles import json_format
from fhir_profiles.definitions import type_name, type_number

Advance = Callable[[int, int], None]
_SLICE = 500
_ROWS = (
    "SELECT r.type, r.id, r.version, r.last_updated, v.blob_id, v.dict_id, v.body, r.patient_key "
    "FROM resource r JOIN version v ON v.patient_key = r.patient_key AND v.rid = r.rid "
    "AND v.version = r.version WHERE r.deleted = false"
)


class UnknownPatients(Exception):
    """Patients that are not in the record: `str()` lists them."""


def export(
    record: Record,
    target: Path,
    *,
    types: Collection[str],
    patients: Collection[str],
    compression: str,
    advance: Advance,
) -> dict[str, int]:
    """Write resources and return how many of each type; no `types` or `patients` means all.

    Raises UnknownPatients.
    """
    counts: dict[str, int] = {}
    with snapshot(record.database) as connection, contextlib.ExitStack() as stack:
        sql, parameters = _query(connection, types, patients)
        files = _Files(target, compression, stack)
        for rows in stream(connection, sql, parameters, _SLICE):
            lines: dict[str, list[bytes]] = {}
            for row in rows:
                type = type_name(row[0])
                lines.setdefault(type, []).append(_line(record, type, row))
            for type, some in lines.items():
                data = b"\n".join(some) + b"\n"
                files.of(type).write(data)
                counts[type] = counts.get(type, 0) + len(some)
                advance(len(data), len(some))
    return dict(sorted(counts.items()))


def _query(
    connection: Connection, types: Collection[str], patients: Collection[str]
) -> tuple[str, list[Any]]:
    mark = "%b" if is_postgres(connection) else "?"
    sql, parameters = _ROWS, list[Any]()
    if types:
        sql += f" AND r.type IN ({', '.join([mark] * len(types))})"
        parameters += [type_number(type) for type in types]
    if patients:
        keys = _patient_keys(connection, patients)
        sql += f" AND r.patient_key IN ({', '.join([mark] * len(keys))})"
        parameters += keys
    return sql, parameters


def _patient_keys(connection: Connection, patients: Collection[str]) -> list[int]:
    found = locate(connection, [("Patient", id) for id in patients])
    there = {id for (_, id), place in found.items() if not place.reserved and not place.deleted}
    unknown = sorted(set(patients) - there)
    if unknown:
        raise UnknownPatients(", ".join(unknown))
    return [place.patient_key for place in found.values()]


def _line(record: Record, type: str, row: Row) -> bytes:
    _, id, version, updated, blob_id, dict_id, body, patient_key = row
    stored = record.database.compressor.decompress(bytes(body), dict_id)
    raw = compose(type, id, version, updated, stored)
    if blob_id is not None:
        raw = _with_content(record, raw, patient_key, blob_id)
    # A line feed between members is white space; inside a text it is always escaped.
    return raw.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in raw or b"\r" in raw else raw


def _with_content(record: Record, raw: bytes, patient_key: int, blob_id: str) -> bytes:
    with record.database.read() as connection:
        content = blobs.find(connection, patient_key, blob_id)
    if content is None:
        return raw
    data = base64.b64encode(blobs.whole(record.database, content)).decode()
    return json_format.serialise(json_format.reparse(raw) | {"data": data})


class _Files:
    """The open files, one a type or one for all."""

    def __init__(self, target: Path, compression: str, stack: contextlib.ExitStack) -> None:
        self._target, self._stack = target, stack
        self._ending = f".{compression}" if compression else ""
        self._open: dict[Path, IO[bytes]] = {}

    def of(self, type: str) -> IO[bytes]:
        """Return the file for a type."""
        path = self._target
        if is_folder(path):
            path.mkdir(parents=True, exist_ok=True)
            path = path / f"{type}.ndjson{self._ending}"
        if path not in self._open:
            self._open[path] = self._stack.enter_context(_written(path))
        return self._open[path]


def is_folder(target: Path) -> bool:
    """Tell whether a target is a folder: any name that is not of an NDJSON file."""
    return target.is_dir() or ".ndjson" not in target.name


@contextlib.contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        packed: Any
        if path.suffix == ".gz":
            packed = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, filename="")
        elif path.suffix == ".zst":
            packed = zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False)
        else:
            packed = io.BufferedWriter(cast(Any, file), 1 << 20)
        with packed:
            yield cast(IO[bytes], packed)
