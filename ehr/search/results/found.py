"""Resources that a search returns, and fetching those that are known by their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, select, tuple_

from ehr.access.visible import visible_within
from ehr.messages import Instant, Item
from ehr.search.asking import Asking
from ehr.search.matching import KeyAndRow
from ehr.search.results.linked import Linked
from ehr.store import tables
from ehr.store.bodies import compose
from ehr.store.drafts import Method
from ehr.store.engine import of
from ehr.store.pairs import in_pairs
from ehr.store.templates import rows_by, rows_of
from fhir_profiles.definitions import type_name

_ROW, _VERSION = tables.resource.alias("r"), tables.version.alias("v")


@dataclass(frozen=True, slots=True)
class Found:
    """A resource that a search returns; `json` is the whole of it."""

    type: str
    id: str
    patient_key: int
    rid: int
    version: int
    last_updated: Instant
    json: bytes

    @property
    def place(self) -> KeyAndRow:
        """Return (patient_key, rid)."""
        return self.patient_key, self.rid

    @property
    def item(self) -> Item:
        """Return what is audited of its being shown."""
        return self.patient_key, self.rid, self.version


def found(connection: Connection, row: Sequence[Any]) -> Found:
    """Return the resource of a row: type, id, keys, version, last_updated, dict_id, body first."""
    number, id, patient_key, rid, version, last_updated, dict_id, body = tuple(row)[:8]
    name = type_name(number)
    stored = of(connection).compressor.decompress(body, dict_id)
    json = compose(name, id, version, last_updated, stored)
    return Found(name, id, patient_key, rid, version, last_updated, json)


def fetch(rows: Sequence[Linked], asking: Asking) -> tuple[Found, ...]:
    """Return these resources, as far as the caller may see them, in the order of type and id.

    A reference to a version brings that version, if the current one may be seen.
    """
    if not rows:
        return ()
    versioned = [
        row
        for row in rows
        if row.version is not None and row.version.isascii() and row.version.isdigit()
    ]
    places = list(dict.fromkeys(one.place for one in rows if one.version is None))
    listed = in_pairs(asking.connection, _ROW.c.patient_key, _ROW.c.rid, places)
    binaries = _any_binary(rows)
    current = partial(_current, listed, asking, binaries=binaries)
    if versioned:
        results = rows_of(asking.connection, current().union(_versions(versioned, asking)))
    else:
        key = ("fetch", asking.scope, binaries)
        results = rows_by(asking.connection, key, listed, current, dict(asking.scope.values))
    return tuple(
        sorted(
            (found(asking.connection, row) for row in results),
            key=lambda one: (one.type, one.id, one.version),
        )
    )


def _current(listed: ColumnElement[bool], asking: Asking, *, binaries: bool) -> Select[Any]:
    row, version = _ROW, _VERSION
    statement = _select(row, version, asking, binaries=binaries)
    return statement.where(version.c.version == row.c.version, listed)


def _versions(rows: Sequence[Linked], asking: Asking) -> Select[Any]:
    row, version = _ROW, _VERSION
    exact = [(*one.place, int(one.version or 0)) for one in rows]
    statement = _select(row, version, asking, binaries=_any_binary(rows), versioned=True)
    return statement.where(
        tuple_(version.c.patient_key, version.c.rid, version.c.version).in_(exact),
        version.c.method != int(Method.DELETE),
    )


def _select(
    row: FromClause, version: FromClause, asking: Asking, *, binaries: bool, versioned: bool = False
) -> Select[Any]:
    seen = visible_within(
        row,
        asking.scope,
        asking.context.hasher,
        binaries=binaries,
        version=version if versioned else None,
    )
    return (
        select(
            row.c.type,
            row.c.id,
            row.c.patient_key,
            row.c.rid,
            version.c.version,
            version.c.last_updated,
            version.c.dict_id,
            version.c.body,
        )
        .join_from(
            row,
            version,
            and_(version.c.patient_key == row.c.patient_key, version.c.rid == row.c.rid),
        )
        .where(row.c.deleted.is_(False), seen)
    )


def _any_binary(rows: Sequence[Linked]) -> bool:
    return any(row.type == "Binary" for row in rows)
