"""Versions in the order they came about, newest first: of one resource, of a type, of everything.

Type and system history end at the feed's watermark, so that a poller never misses a change.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from ehr.messages import Instant, Item
from ehr.store.bodies import compose
from ehr.store.drafts import Method
from ehr.store.engine import of
from ehr.store.tables import resource
from ehr.store.tables import version as versions
from fhir_profiles.definitions import type_name, type_number

Edge = tuple[Instant, int, int]  # (last_updated, rid, version) of the last row of a page


@dataclass(frozen=True, slots=True)
class Entry:
    """One version in a history; a tombstone has no body, `created` also what came back."""

    patient_key: int
    rid: int
    type: str
    id: str
    version: int
    last_updated: Instant
    method: Method
    created: bool
    body: bytes | None

    @property
    def item(self) -> Item:
        """Return what is audited of its being shown."""
        return self.patient_key, self.rid, self.version


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of a history: times in ms; `at` is an interval [low, high) of R4 `_at`."""

    type: str | None = None
    id: str | None = None
    since: Instant | None = None
    at: tuple[Instant, Instant] | None = None
    until: Instant | None = None
    before: Edge | None = None


def entries(
    connection: Connection, asked: Asked, visible: ColumnElement[bool], count: int
) -> list[Entry]:
    """Return at most `count` versions, newest first. `visible` judges the row `resource`."""
    v = versions
    statement = (
        select(v.c.patient_key, v.c.rid, v.c.type, v.c.id, v.c.version, v.c.last_updated,
               v.c.method, v.c.dict_id, v.c.body,
               _neighbour(-1, versions.alias("earlier"), "method").label("earlier"))
        .join(resource, and_(resource.c.patient_key == v.c.patient_key, resource.c.rid == v.c.rid))
        .where(visible, *_conditions(asked))
        .order_by(v.c.last_updated.desc(), v.c.rid.desc(), v.c.version.desc())
        .limit(count)
    )  # fmt: skip
    decompress = of(connection).compressor.decompress
    return [
        Entry(
            row.patient_key,
            row.rid,
            type_name(row.type),
            row.id,
            row.version,
            row.last_updated,
            Method(row.method),
            row.earlier in (None, Method.DELETE),
            None
            if row.method == Method.DELETE
            else compose(
                type_name(row.type),
                row.id,
                row.version,
                row.last_updated,
                decompress(row.body, row.dict_id),
            ),
        )
        for row in connection.execute(statement)
    ]


def total(connection: Connection, asked: Asked, visible: ColumnElement[bool]) -> int:
    """Return how many versions there are of what was asked."""
    v = versions
    statement = (
        select(func.count())
        .select_from(v)
        .join(resource, and_(resource.c.patient_key == v.c.patient_key, resource.c.rid == v.c.rid))
        .where(visible, *_conditions(asked))
    )
    counted: int = connection.execute(statement).scalar_one()
    return counted


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    v = versions
    found: list[ColumnElement[bool]] = []
    if asked.type is not None:
        found.append(v.c.type == type_number(asked.type))
    if asked.since is not None:
        found.append(v.c.last_updated >= asked.since)
    if asked.until is not None:
        found.append(v.c.last_updated <= asked.until)
    if asked.at is not None:
        found.append(_in_force(*asked.at))
    if asked.before is not None:
        place = tuple_(v.c.last_updated, v.c.rid, v.c.version)
        found.append(place < tuple_(*(literal(part) for part in asked.before)))
    return found


def _in_force(low: Instant, high: Instant) -> ColumnElement[bool]:
    """Versions that were current at some moment of the interval (R4 §3.1.0.12, `_at`)."""
    v = versions
    next_one = _neighbour(1, versions.alias("later"), "last_updated")
    return and_(v.c.last_updated < high, or_(next_one.is_(None), next_one > low))


def _neighbour(step: int, other: FromClause, column: str) -> ScalarSelect[Any]:
    """Return a column of the version before or after, NULL where there is none."""
    v = versions
    return (
        select(other.c[column])
        .where(
            other.c.patient_key == v.c.patient_key,
            other.c.rid == v.c.rid,
            other.c.version == v.c.version + step,
        )
        .scalar_subquery()
    )


def of_row(patient_key: int, rid: int) -> ColumnElement[bool]:
    """Return the condition for the versions of one resource."""
    return and_(versions.c.patient_key == patient_key, versions.c.rid == rid)
