"""Runs a plan: one statement for a page of matches with their bodies, one more for what follows.

DESIGN §5 (statements are counted; paging). The inner SELECT finds, orders and limits rows without
their bodies; the outer one joins the bodies of the page. The first page takes the mark of the
moment its walk began; later pages keep to what has not changed since.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, func, select

from ehr.search.plan.plan import Plan
from ehr.search.results.found import Found, found
from ehr.search.results.sort import Ordering, SortValue, after, depends_on_number, orderings
from ehr.store import tables
from ehr.store.estimates import estimated_rows
from ehr.store.horizon import Horizon, marks, unchanged_since

_MANY = 2_000
_VERSION = tables.version.alias("v")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row with these sort values, or before it when backward."""

    values: tuple[SortValue, ...]
    backward: bool
    horizon: Horizon


@dataclass(frozen=True, slots=True)
class Page:
    """The matches of one page; `first` and `last` are the sort values of its ends.

    `mark` and `epoch` say when the walk began. `more` tells whether there is more in the direction
    of the walk, `total` is None where it was not asked for, and maybe `estimated`.
    """

    matches: tuple[Found, ...]
    more: bool = False
    total: int | None = None
    mark: str = ""
    epoch: str = ""
    first: tuple[SortValue, ...] = ()
    last: tuple[SortValue, ...] = ()
    estimated: bool = False


def page(
    connection: Connection,
    plan: Plan,
    *,
    size: int,
    start: Place | None = None,
    total: bool = False,
    wide: bool = False,
) -> Page:
    """Return one page of at most `size` matches, the first where no start is given."""
    order = orderings(plan.request, plan.row, plan.patient_keys, wide=wide)
    rows = connection.execute(_page(connection, plan, order, size, start, total=total)).all()
    more, rows = len(rows) > size, rows[:size]
    if start is not None and start.backward:
        rows = rows[::-1]
    if not rows:
        return Page((), total=0 if total else None)
    mark, epoch = (start.horizon.mark, start.horizon.epoch) if start else rows[0][8:10]
    return Page(
        tuple(found(connection, row) for row in rows),
        more,
        rows[0].total if total else None,
        mark,
        epoch,
        _ends(rows[0], order),
        _ends(rows[-1], order),
    )


def is_wide(connection: Connection, plan: Plan) -> bool:
    """Tell whether so many resources match that it decides how they are sorted."""
    if not depends_on_number(plan.request, plan.patient_keys):
        return False
    some = select(plan.row.c.rid).where(*plan.where).limit(_MANY).subquery()
    number: int = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return number == _MANY


def count(connection: Connection, plan: Plan) -> int:
    """Return how many resources match."""
    number: int = connection.execute(
        select(func.count()).select_from(plan.row).where(*plan.where)
    ).scalar_one()
    return number


def with_estimate(connection: Connection, plan: Plan, first: Page) -> Page:
    """Return a first page with about how many match: the exact number where that is at hand."""
    if not first.more:
        return replace(first, total=len(first.matches))
    guess = estimated_rows(connection, select(plan.row.c.rid).where(*plan.where))
    if guess is None:
        return replace(first, total=count(connection, plan))
    return replace(first, total=max(guess, len(first.matches) + 1), estimated=True)


def _page(
    connection: Connection,
    plan: Plan,
    order: tuple[Ordering, ...],
    size: int,
    start: Place | None,
    *,
    total: bool,
) -> Select[Any]:
    backward = start is not None and start.backward
    rows = _rows(plan, order, size, start, total=total).subquery("p")
    version = _VERSION
    same = and_(
        version.c.patient_key == rows.c.patient_key,
        version.c.rid == rows.c.rid,
        version.c.version == rows.c.version,
    )
    extra = [rows.c.total] if total else []
    return (
        select(
            rows.c.type,
            rows.c.id,
            rows.c.patient_key,
            rows.c.rid,
            rows.c.version,
            rows.c.last_updated,
            version.c.dict_id,
            version.c.body,
            *(marks(connection) if start is None else ()),
            *extra,
            *(rows.c[f"s{n}"] for n in range(len(order))),
        )
        .join_from(rows, version, same)
        .order_by(*_directions([rows.c[f"s{n}"] for n in range(len(order))], order, backward))
    )


def _rows(
    plan: Plan, order: tuple[Ordering, ...], size: int, start: Place | None, *, total: bool
) -> Select[Any]:
    row = plan.row
    sources: FromClause = row
    for one in order:
        if one.source is not None:
            key = and_(one.source.c.patient_key == row.c.patient_key, one.source.c.rid == row.c.rid)
            sources = sources.outerjoin(one.source, key)
    columns = [one.column for one in order]
    statement = (
        select(
            *(
                row.c[name]
                for name in ("type", "id", "patient_key", "rid", "version", "last_updated")
            ),
            *([func.count().over().label("total")] if total else []),
            *(column.label(f"s{n}") for n, column in enumerate(columns)),
        )
        .select_from(sources)
        .where(*plan.where)
        .limit(size + 1)
    )
    if start is None:
        return statement.order_by(*_directions(columns, order, backward=False))
    return statement.where(
        after(order, start.values, backward=start.backward), unchanged_since(row, start.horizon)
    ).order_by(*_directions(columns, order, start.backward))


def _directions(
    columns: list[ColumnElement[Any]], order: tuple[Ordering, ...], backward: bool
) -> list[ColumnElement[Any]]:
    return [
        column.desc() if one.descending is not backward else column.asc()
        for column, one in zip(columns, order, strict=True)
    ]


def _ends(row: Row[Any], order: tuple[Ordering, ...]) -> tuple[SortValue, ...]:
    return tuple(row[-len(order) :])
