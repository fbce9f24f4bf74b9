"""The order of matches: what `_sort` names, and an order that the indexes give for nothing.

FHIR R4 §3.1.1.5.1 (Sorting): "Each item in the comma separated list is a search parameter". Of
several values the one counts "that comes earliest in the specified sort order"; rows without any
come last, either way. R4 leaves the rest open ("a reasonable order for end-users"). Here: periods
and ranges by their start; strings folded; tokens by the code and identifiers by their value, not by
displays, which differ between rows of one code; references by what they lead to, in the order in
which this record came to know it, so that what is about one thing stands together. A reference to
nothing that the caller may see has no value: the order tells nobody what there is. It is total: it
ends with the row's own number, so that a page begins exactly where the last one ended.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Subquery, and_, case, func, or_, select, tuple_

from ehr.access.visible import EVERYTHING, Scope, seen_at
from ehr.search.matching import index_alias, under
from ehr.search.parameters.reference_paths import leading_by
from ehr.search.parameters.supported import ROW_PARAMETERS
from ehr.search.request import SearchRequest, SortKey
from ehr.search.values.intervals import MAX, MIN
from ehr.store import tables
from ehr.store.hashing import Hasher

SortValue = int | float | str
Sight = tuple[Scope, Hasher]  # what the caller may see


@dataclass(frozen=True, slots=True)
class Ordering:
    """One column of the order, never NULL; `source` is what it must be joined with, on the key."""

    column: ColumnElement[Any]
    descending: bool = False
    source: Subquery | None = None


def depends_on_number(request: SearchRequest, patient_keys: tuple[int, ...] | None) -> bool:
    """Tell whether few and many matches are better sorted in different ways."""
    # A Patient has its key, and so the little that is under it, to itself.
    return (
        patient_keys is None
        and request.types != ("Patient",)
        and any(key.code not in ROW_PARAMETERS for key in request.sort)
    )


def orderings(
    request: SearchRequest,
    row: FromClause,
    patient_keys: tuple[int, ...] | None,
    sight: Sight,
    *,
    wide: bool = False,
) -> tuple[Ordering, ...]:
    """Return the columns that put `row` in order, the deciding one first.

    `wide`: so many rows match that sort values are read as a whole, not for each of them.
    """
    keys = [_ordering(key, row, patient_keys, sight, wide=wide) for key in request.sort]
    if keys:
        return (*keys, Ordering(row.c.rid, keys[-1].descending))
    unrestricted = not request.conditions and request.compartment is None
    if unrestricted and len(request.types) == 1:
        return (Ordering(row.c.last_updated), Ordering(row.c.rid))
    # The order of every index, so that each finds its rows in place.
    return (Ordering(row.c.patient_key), Ordering(row.c.rid))


def after(
    orderings: tuple[Ordering, ...], values: tuple[SortValue, ...], *, backward: bool
) -> ColumnElement[bool]:
    """Return the condition that a row comes after these values (before them when backward)."""
    columns = [ordering.column for ordering in orderings]
    falling = [ordering.descending is not backward for ordering in orderings]
    if len(set(falling)) == 1:
        here = tuple_(*columns)
        return here < values if falling[0] else here > values
    steps = [
        and_(
            *(columns[j] == values[j] for j in range(i)), _beyond(columns[i], values[i], falling[i])
        )
        for i in range(len(columns))
    ]
    return or_(*steps)


def _beyond(column: ColumnElement[Any], value: SortValue, falling: bool) -> ColumnElement[bool]:
    return column < value if falling else column > value


@dataclass(frozen=True, slots=True)
class _Values:
    """Where a kind keeps what it is sorted by; `first` and `last` stand for what is missing."""

    table: FromClause
    first: SortValue
    last: SortValue
    column: str = "low"


_LAST_TEXT = "\U0010ffff\U0010ffff"
_AMOUNTS = _Values(tables.quantity, float("-inf"), float("inf"))
_SORTED = {
    "date": _Values(tables.date, MIN, MAX),
    "number": _AMOUNTS,
    "quantity": _AMOUNTS,
    "reference": _Values(tables.reference, -(1 << 63), (1 << 63) - 1, "target_rid"),
    "string": _Values(tables.string, "", _LAST_TEXT, "value"),
    "token": _Values(tables.token, "", _LAST_TEXT, "text"),
    "uri": _Values(tables.uri, "", _LAST_TEXT, "value"),
}


def _ordering(
    key: SortKey,
    row: FromClause,
    patient_keys: tuple[int, ...] | None,
    sight: Sight,
    *,
    wide: bool,
) -> Ordering:
    if key.code == "_id":
        return Ordering(row.c.id, key.descending)
    if key.code == "_lastUpdated":
        return Ordering(row.c.last_updated, key.descending)
    kept = _SORTED[key.parameters[0].kind]
    t = index_alias(kept.table)
    missing = kept.first if key.descending else kept.last
    value = (func.max if key.descending else func.min)(_value(t, kept, sight))
    of_key = _of_key(t, key)
    if patient_keys is None and not wide:
        # Few of all rows match: look each one up.
        one = select(value).where(
            t.c.patient_key == row.c.patient_key, t.c.rid == row.c.rid, of_key
        )
        return Ordering(func.coalesce(one.scalar_subquery(), missing), key.descending)
    # Many match, as most rows of one patient do: read the parameter once.
    values = select(t.c.patient_key, t.c.rid, value.label("value")).where(of_key)
    if patient_keys is not None:
        values = values.where(under(t.c.patient_key, patient_keys))
    source = values.group_by(t.c.patient_key, t.c.rid).subquery()
    return Ordering(func.coalesce(source.c.value, missing), key.descending, source)


def _value(t: FromClause, kept: _Values, sight: Sight) -> ColumnElement[Any]:
    column: ColumnElement[Any] = t.c[kept.column]
    scope, hasher = sight
    if kept.table is not tables.reference or scope == EVERYTHING:
        return column
    return case((seen_at(t.c.target_key, t.c.target_rid, scope, hasher), column))


def _of_key(t: FromClause, key: SortKey) -> ColumnElement[bool]:
    if key.parameters[0].kind == "reference":
        return or_(*(leading_by(parameter)(t) for parameter in key.parameters))
    return t.c.param.in_([parameter.param_id for parameter in key.parameters])
