"""Reading rows: the current version or a given one, by `Type/id`, in one statement."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Text, bindparam, select

from ehr.messages import Instant, Item
from ehr.store import tables
from ehr.store.bodies import compose
from ehr.store.drafts import Current, Method
from ehr.store.engine import is_postgres, of
from ehr.store.locator import Name
from ehr.store.pairs import listed_numbers, number_list
from ehr.store.statements import query
from fhir_profiles.definitions import type_name, type_number

_ROW = (
    "r.patient_key, r.rid, r.version, r.last_updated, r.deleted, r.conf, r.sens, r.release_at, "
    "r.author_organisation, r.author, r.index_version, v.blob_id, v.dict_id, v.body"
)
_CURRENT = (
    f"SELECT {_ROW} FROM locator l "  # noqa: S608  our own names
    "JOIN resource r ON r.patient_key = l.patient_key AND r.rid = l.rid "
    "JOIN version v ON v.patient_key = r.patient_key AND v.rid = r.rid AND v.version = r.version "
    "WHERE l.type = {mark} AND l.id = {mark}"
)
_LISTED = (
    f"SELECT l.type, l.id, {_ROW} FROM {{source}} locator l ON l.type = {{type}} AND l.id = {{id}} "  # noqa: S608  as above
    "JOIN resource r ON r.patient_key = l.patient_key AND r.rid = l.rid "
    "JOIN version v ON v.patient_key = r.patient_key AND v.rid = r.rid AND v.version = r.version"
)
_LISTED_SQLITE = _LISTED.format(
    source="json_each(?) j CROSS JOIN",
    type="json_extract(j.value, '$[0]')",
    id="json_extract(j.value, '$[1]')",
)
_LISTED_POSTGRES = (
    _LISTED.format(
        source="unnest(%b::smallint[], %b::text[]) AS j (type, id) JOIN",
        type="j.type",
        id="j.id",
    ).replace("JOIN version", "LEFT JOIN version")
    + " ORDER BY r.patient_key, r.rid FOR NO KEY UPDATE OF r"
)
# Of a version, in the order that `stored` takes them.
COLUMNS = (
    "patient_key", "rid", "version", "last_updated", "method", "blob_id", "conf", "sens",
    "author_organisation", "dict_id", "body",
)  # fmt: skip
_VERSION = (
    f"SELECT {', '.join(f'v.{name}' for name in COLUMNS)} FROM locator l "  # noqa: S608  as above
    "JOIN version v ON v.patient_key = l.patient_key AND v.rid = l.rid "
    "WHERE l.type = {mark} AND l.id = {mark} AND v.version = {mark}"
)


class Stored(Struct, frozen=True):
    """One version read back. `deleted`: it is the tombstone; `is_whole`: its reader may see all."""

    patient_key: int
    rid: int
    type: str
    id: str
    version: int
    last_updated: Instant
    deleted: bool
    blob_id: str | None
    stored: bytes
    conf: int
    sens: int
    author_organisation: str | None
    is_whole: bool = False

    @property
    def item(self) -> Item:
        """Return what is audited of its being shown."""
        return self.patient_key, self.rid, self.version

    def json(self) -> bytes:
        """Return the resource as it was sent, with id and meta of the server."""
        return compose(self.type, self.id, self.version, self.last_updated, self.stored)


def currents(connection: Connection, names: Collection[Name]) -> dict[Name, Current]:
    """Return the newest versions of these resources, locked until the transaction ends."""
    pairs = [(type_number(type), id) for type, id in names]
    if is_postgres(connection):
        columns = [[number for number, _ in pairs], [id for _, id in pairs]]
        rows = query(connection, _LISTED_POSTGRES, columns)
        if any(row[-1] is None for row in rows):
            # Waited for a lock: the row is the newest now, but this statement can't see its body.
            rows = query(connection, _LISTED_POSTGRES, columns)
    else:
        rows = query(connection, _LISTED_SQLITE, (json.dumps(pairs),))
    decompress = of(connection).compressor.decompress
    return {
        (type_name(number), id): _current(type_name(number), id, row, decompress)
        for number, id, *row in rows
    }


def newest(connection: Connection, type: str, id: str) -> Stored | None:
    """Return the newest version for reading, or None."""
    sql = _sql(connection, _CURRENT)
    found = query(connection, sql, (type_number(type), id))
    if not found:
        return None
    *columns, blob_id, dict_id, body = found[0]
    key, rid, number, updated, deleted, conf, sens, _, organisation, _, _ = columns
    return Stored(
        key, rid, type, id, number, updated, bool(deleted), blob_id,
        of(connection).compressor.decompress(body, dict_id), conf, sens, organisation,
    )  # fmt: skip


def _current(
    type: str, id: str, row: Sequence[Any], decompress: Callable[[bytes, int], bytes]
) -> Current:
    *columns, blob_id, dict_id, body = row
    key, rid, version, updated, deleted, conf, sens, release, organisation, author, index = columns
    return Current(
        key, rid, type, id, version, updated, bool(deleted), conf, sens, release, organisation,
        author, index, blob_id, decompress(body, dict_id),
    )  # fmt: skip


def version(connection: Connection, type: str, id: str, number: int) -> Stored | None:
    """Return one version, or None."""
    sql = _sql(connection, _VERSION)
    found = query(connection, sql, (type_number(type), id, number))
    return stored(connection, type, id, found[0]) if found else None


def of_patients(connection: Connection, type: str, keys: Iterable[int]) -> list[Stored]:
    """Return the newest versions of all resources of a type that these patients have."""
    r, v = tables.resource.c, tables.version.c
    mine = number_list(of(connection).dialect, sorted(keys))
    statement = (
        select(r.id, *(v[name] for name in COLUMNS))
        .join(
            tables.version,
            (v.patient_key == r.patient_key) & (v.rid == r.rid) & (v.version == r.version),
        )
        .where(
            listed_numbers(r.patient_key, bindparam("keys", mine, Text)),
            r.type == type_number(type),
            r.deleted.is_(False),
        )
    )
    return [stored(connection, type, id, row) for id, *row in connection.execute(statement)]


def stored(
    connection: Connection, type: str, id: str, row: Sequence[Any], *, is_whole: bool = False
) -> Stored:
    """Return a version from its `COLUMNS`, the body unpacked."""
    *columns, conf, sens, organisation, dict_id, body = row
    key, rid, number, updated, method, blob_id = columns
    return Stored(
        key, rid, type, id, number, updated, method == Method.DELETE, blob_id,
        of(connection).compressor.decompress(body, dict_id), conf, sens, organisation, is_whole,
    )  # fmt: skip


def _sql(connection: Connection, template: str) -> str:
    return _marked(template, "%b" if is_postgres(connection) else "?")


@cache
def _marked(template: str, mark: str) -> str:
    return template.format(mark=mark)
