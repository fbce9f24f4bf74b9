"""The statement of a visit: rows in the order of an index, up to an edge, asked until enough pass.

SQLite goes along the index itself and stops at the edge. PostgreSQL would not keep to it: there the
rows up to the edge are a part of their own, `d`, which is read no further than it is needed.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    select,
    true,
    tuple_,
)

from ehr.search.results.page_statement import COLUMNS, Wanted, outer
from ehr.search.results.sort import Ordering
from ehr.search.results.visits.way import Way, way
from ehr.search.values.intervals import MAX, MIN
from ehr.store.engine import is_postgres

_ENDED = "ended"


def visit_statement(
    connection: Connection,
    wanted: Wanted,
    here: Way,
    passes: ColumnElement[bool],
    many: Sequence[ColumnElement[bool]],
    window: int,
) -> Select[Any]:
    """Return the statement: what `passes` among `window` rows, none unless there are `many`."""
    row, d = wanted.plan.row, here.driver
    falling = here.descending is not wanted.backward
    along = way(wanted.plan.request, listed=False)
    start = true() if wanted.start is None else _after(along, falling=falling)
    edge = _edge(along, window, started=wanted.start is not None, falling=falling)
    rid: ColumnElement[int] = d.c.rid
    none = _none(here, wanted, falling=falling)
    bounds = [along.of, start]
    parts = []
    if is_postgres(connection):
        bounds += [along.first, *_inside(along, none, falling=falling)]
        listed = select(*(along.driver.c[name] for name in here.names)).where(*bounds)
        listed = listed.order_by(*_directed(along, falling=falling))
        parts.append(listed.limit(literal_column(str(window))).cte("d"))
        bounds = list(many)
    else:
        # Said so that the planner begins with the index, not with `resource`.
        rid += literal_column("0")
        bounds += [along.of_type, along.first, _before(along, edge, none, many, falling=falling)]
    same = and_(row.c.patient_key == d.c.patient_key, row.c.rid == rid)
    may_end = wanted.backward or not here.by_date
    ended = select(edge.c.e0).scalar_subquery().is_(None) if may_end else false()
    inner = (
        select(
            *(row.c[name] for name in COLUMNS),
            ended.label(_ENDED),
            *(column.label(f"s{n}") for n, column in enumerate(here.columns)),
        )
        .join_from(d, row, same)
        .where(passes, *bounds)
        .order_by(*_directed(here, falling=falling))
        .limit(literal_column(str(wanted.size + 1)))
    )
    order = tuple(Ordering(column, here.descending) for column in here.columns)
    return outer(connection, wanted, order, _ENDED).add_cte(*parts, inner.cte("p"))


def _directed(along: Way, *, falling: bool) -> list[ColumnElement[int]]:
    return [column.desc() if falling else column.asc() for column in along.columns]


def _after(along: Way, *, falling: bool) -> ColumnElement[bool]:
    start = [bindparam(f"after_{n}", 0, BigInteger) for n in range(2)]
    here, there = tuple_(*along.columns), tuple_(*start)
    after = here < there if falling else here > there
    return and_(_from_start(along, falling=falling), after) if along.by_date else after


def _from_start(along: Way, *, falling: bool) -> ColumnElement[bool]:
    """Return the condition of a start that the index on dates knows."""
    start = bindparam("after_0", 0, BigInteger)
    return along.columns[0] <= start if falling else along.columns[0] >= start


def _edge(along: Way, window: int, *, started: bool, falling: bool) -> CTE:
    """Return the index row, if there is one, before which the visit ends."""
    columns = along.columns[:1] if along.by_date else along.columns
    start: ColumnElement[bool] = true()
    if started:
        start = (_from_start if along.by_date else _after)(along, falling=falling)
    return (
        select(*(column.label(f"e{n}") for n, column in enumerate(columns)))
        .where(along.of, start)
        .order_by(*_directed(along, falling=falling)[: len(columns)])
        .limit(literal_column("1"))
        .offset(literal_column(str(window)))
        .cte("edge")
    )


def _none(along: Way, wanted: Wanted, *, falling: bool) -> ColumnElement[int]:
    """Return the value before which all rows come; as dates go, all that are not as if without."""
    if along.by_date and not wanted.backward:
        return literal_column(str(MIN if falling else MAX))
    return literal_column(str(MIN - 1 if falling else MAX + 1))


def _inside(
    along: Way, none: ColumnElement[int], *, falling: bool
) -> Sequence[ColumnElement[bool]]:
    if not along.by_date:
        return ()
    return (along.columns[0] > none if falling else along.columns[0] < none,)


def _before(
    along: Way,
    edge: CTE,
    none: ColumnElement[int],
    many: Sequence[ColumnElement[bool]],
    *,
    falling: bool,
) -> ColumnElement[bool]:
    """Return the condition that a row comes before the edge, if there is one.

    It is a comparison with NULL where there are not `many`: SQLite does not ask them first. For the
    same reason it is one, in which `none` is the edge of a visit that meets no other.
    """
    edges: list[ColumnElement[int]] = []
    for one in edge.c:
        value: ColumnElement[int] = func.coalesce(select(one).scalar_subquery(), none)
        edges.append(case((and_(*many), value)) if many else value)
    if along.by_date:
        return along.columns[0] > edges[0] if falling else along.columns[0] < edges[0]
    here, there = tuple_(*along.columns), tuple_(*edges)
    return here > there if falling else here < there
