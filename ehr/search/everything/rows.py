"""What `$everything` reads: all rows of a record, and what they refer to, in steady order.

R4 §8.1.12 and §8.11.12 (Patient-everything, Encounter-everything). The rows of the scope come in
order of (patient_key, rid), what they refer to in order of rid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    not_,
    or_,
    select,
    tuple_,
    union,
    union_all,
)

from ehr.messages import Instant
from ehr.search.asking import Asking
from ehr.search.everything.scope import Scope, covered
from ehr.search.matching import KeyAndRow
from ehr.search.results.found import Found, found
from ehr.search.results.linked import Linked
from ehr.store import tables
from ehr.store.horizon import Horizon, marks, unchanged_since
from ehr.store.pairs import in_pairs
from ehr.store.rows import ATTACHED
from fhir_profiles.care_dates import CARE_DATE_PATHS
from fhir_profiles.definitions import resource_types, type_name, type_number
from fhir_profiles.search_parameters import for_type

_ROW, _VERSION = tables.resource.alias("r"), tables.version.alias("v")
_LINK = tables.reference.alias("t")


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted of it: types (none: all), changed since, care dates [start, end) in ms."""

    types: tuple[str, ...] = ()
    since: Instant | None = None
    start: Instant | None = None
    end: Instant | None = None


def beginning(asking: Asking) -> tuple[str, str]:
    """Return the mark and the epoch of a walk that begins now."""
    mark, epoch = asking.connection.execute(select(*marks(asking.connection))).one()
    return mark, epoch


def own_rows(
    asking: Asking,
    scope: Scope,
    wanted: Filter,
    *,
    after: KeyAndRow | None,
    horizon: Horizon | None,
    size: int,
) -> list[Found]:
    """Return the next rows of the scope in order of (patient_key, rid), one more than `size`."""
    conditions = [_ROW.c.deleted.is_(False), asking.visible(_ROW), *_cared(wanted)]
    if wanted.types:
        conditions.append(_ROW.c.type.in_([type_number(type) for type in wanted.types]))
    if wanted.since is not None:
        conditions.append(_ROW.c.last_updated >= wanted.since)
    if after is not None:
        conditions.append(tuple_(_ROW.c.patient_key, _ROW.c.rid) > tuple_(*after))
    if horizon is not None:
        conditions.append(unchanged_since(_ROW, horizon))
    columns = [
        _ROW.c[name] for name in ("type", "id", "patient_key", "rid", "version", "last_updated")
    ]
    parts = [
        select(*columns).where(part, *conditions)
        for part in covered(asking, scope, _ROW.c.patient_key, _ROW.c.rid)
    ]
    rows = union_all(*parts).subquery("u")
    page = select(rows).order_by(rows.c.patient_key, rows.c.rid).limit(size + 1).subquery("p")
    same = and_(
        _VERSION.c.patient_key == page.c.patient_key,
        _VERSION.c.rid == page.c.rid,
        _VERSION.c.version == page.c.version,
    )
    statement = (
        select(page, _VERSION.c.dict_id, _VERSION.c.body)
        .join_from(page, _VERSION, same)
        .order_by(page.c.patient_key, page.c.rid)
    )
    return [found(asking.connection, row) for row in asking.connection.execute(statement)]


def referred_rows(
    asking: Asking, scope: Scope, wanted: Filter, *, after: int, size: int
) -> list[Linked]:
    """Return the next rows that rows of the scope refer to, in order of rid, one more than `size`.

    Only rows that are shared, unfiled or of the scope's home, and not in the scope itself.
    """
    parts = [
        _targets(asking, scope, wanted, part, after)
        for part in covered(asking, scope, _LINK.c.patient_key, _LINK.c.rid)
    ]
    rows = union(*parts).subquery("u")
    statement = select(rows).order_by(rows.c.target_rid).limit(size + 1)
    return [
        Linked(type_name(number), (key, rid))
        for number, key, rid in asking.connection.execute(statement)
    ]


def _targets(
    asking: Asking, scope: Scope, wanted: Filter, part: ColumnElement[bool], after: int
) -> Select[Any]:
    near = _LINK.c.target_key <= 0
    conditions = [
        _LINK.c.path != ATTACHED,
        or_(near, _LINK.c.target_key == scope.home) if scope.home else near,
    ]
    if wanted.types:
        conditions.append(_LINK.c.target_type.in_([type_number(type) for type in wanted.types]))
    inside = in_pairs(asking.connection, _LINK.c.target_key, _LINK.c.target_rid, scope.places)
    same = and_(_ROW.c.patient_key == _LINK.c.patient_key, _ROW.c.rid == _LINK.c.rid)
    return (
        select(_LINK.c.target_type, _LINK.c.target_key, _LINK.c.target_rid)
        .join_from(_LINK, _ROW, same)
        .where(
            part,
            _LINK.c.target_rid > after,
            _ROW.c.deleted.is_(False),
            asking.visible(_ROW),
            *conditions,
            *_cared(wanted),
            *([not_(inside)] if scope.places else ()),
        )
        .distinct()
    )


def _cared(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions on when care was given. What has no care date is never left out."""
    if wanted.end is not None:
        yield or_(_ROW.c.care_date.is_(None), _ROW.c.care_date < wanted.end)
    if wanted.start is not None:
        lasting = _lasts_until(_ROW, wanted.start)
        yield or_(_ROW.c.care_date.is_(None), _ROW.c.care_date >= wanted.start, lasting)


def _lasts_until(row: FromClause, moment: Instant) -> ColumnElement[bool]:
    """Return the condition that what began earlier was going on then: a visit, a plan."""
    d = tables.date.alias("d")
    return exists().where(
        d.c.patient_key == row.c.patient_key,
        d.c.rid == row.c.rid,
        d.c.param.in_(_care_parameters()),
        d.c.high > moment * 1000,
    )


@cache
def _care_parameters() -> Sequence[int]:
    """Return the search parameters that hold the care dates of their types."""
    return sorted(
        parameter.param_id
        for type in resource_types()
        for parameter in for_type(type).values()
        if parameter.kind == "date" and _is_care_date(type, parameter.expression)
    )


def _is_care_date(type: str, expression: str) -> bool:
    wanted = {f"{type}.{path.removesuffix('[x]')}" for path in CARE_DATE_PATHS.get(type, ())}
    parts = (part.strip(" ()").replace(".as(", " as ") for part in expression.split("|"))
    return any(part.partition(" ")[0] in wanted for part in parts)
