"""The ways on which rows of one type are visited: an index whose order is that of the answer.

R4 §3.1.1.5.1 (Sorting): of several dates the one counts "that comes earliest in the specified sort
order"; what has none comes last, and is not on the way.
"""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    column,
    literal_column,
    select,
    table,
    true,
    tuple_,
)

from ehr.search.request import SearchRequest
from ehr.search.results.sort import SortValue
from ehr.search.results.visits.questions import sorting_date
from ehr.search.values.intervals import MAX, MIN
from ehr.store import tables
from fhir_profiles.definitions import type_number
from fhir_profiles.extraction import is_single

_KEY = ("patient_key", "rid")
_ANY = true()
_RESOURCES, _DATES = tables.resource.alias("d"), tables.date.alias("d")
_OTHER = tables.date.alias("other")


@dataclass(frozen=True, slots=True)
class Way:
    """Rows that lead to those of `resource`, in the order of `columns`.

    `of` says which of the index, `first` which of those of one resource, `of_type` that they are
    of the type; `names` are all that is asked of them. `by_date`: of the order, the index knows the
    first column.
    """

    driver: FromClause
    columns: tuple[ColumnElement[int], ColumnElement[int]]
    names: tuple[str, ...]
    of: ColumnElement[bool] = _ANY
    of_type: ColumnElement[bool] = _ANY
    first: ColumnElement[bool] = _ANY
    descending: bool = False
    by_date: bool = False

    def leaves_out(self, value: SortValue) -> bool:
        """Tell whether a place with this value is among rows without a date."""
        return self.by_date and value == (MIN if self.descending else MAX)


def way(request: SearchRequest, *, listed: bool) -> Way:
    """Return the way of a search; `listed`: over the part `d` of a statement that has its rows."""
    number = type_number(request.types[0])
    if not request.sort:
        d = _listed(*_KEY) if listed else _RESOURCES
        columns = (d.c.patient_key, d.c.rid)
        if listed:
            return Way(d, columns, _KEY)
        # Not by an index on types, which would be in another order.
        return Way(d, columns, _KEY, of_type=d.c.type + literal_column("0") == number)
    [key] = request.sort
    parameter = sorting_date(key)
    if parameter is None:
        updated = (*_KEY, "last_updated")
        d = _listed(*updated) if listed else _RESOURCES
        of = _ANY if listed else d.c.type == number
        return Way(d, (d.c.last_updated, d.c.rid), updated, of, descending=key.descending)
    dates = (*_KEY, "param", "low", "high")
    d = _listed(*dates) if listed else _DATES
    of = _ANY if listed else d.c.param == parameter.param_id
    first = _ANY if is_single(parameter) else _is_first(descending=key.descending)
    columns = (d.c.low, d.c.rid)
    return Way(d, columns, dates, of, first=first, descending=key.descending, by_date=True)


@cache
def _listed(*names: str) -> FromClause:
    return table("d", *(column(name, BigInteger) for name in names))


@cache
def _is_first(*, descending: bool) -> ColumnElement[bool]:
    """Return the condition that no other date of the same resource comes before this one."""
    t, d = _OTHER.c, _DATES.c
    here, there = (tuple_(one.low, one.high, one.element) for one in (d, t))
    others = select(t.rid).where(
        t.patient_key == d.patient_key,
        t.param == d.param,
        t.rid == d.rid,
        there > here if descending else there < here,
    )
    return others.limit(literal_column("1")).scalar_subquery().is_(None)
