"""The statement of a page: an inner SELECT finds, orders and limits rows, an outer adds bodies.

To build it costs more than most pages do to find. So what does not depend on the conditions is made
once (`_Frame`), a text is kept for each structure of conditions (`store/templates.py`), and within
one patient's record a first page needs neither (`plan/shapes.py`).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Label,
    Select,
    and_,
    bindparam,
    case,
    column,
    func,
    select,
    table,
    true,
)

from ehr.access.opening.opened import is_labelled
from ehr.search.matching import ONE_KEY
from ehr.search.plan.plan import Plan
from ehr.search.results.sort import Ordering, SortValue, after, orderings
from ehr.store import tables
from ehr.store.engine import is_postgres, of
from ehr.store.horizon import Horizon, marks, unchanged_since
from ehr.store.templates import Template, keep, keeping, kept, rows_by, run, template_of

_VERSION = tables.version.alias("v")
COLUMNS = ("type", "id", "patient_key", "rid", "version", "last_updated")
_SIZE = "page_size"
# Whether one of the matches has a label, and where that stands in a row.
_LABELLED, _SOME_LABELLED = "labelled", len(COLUMNS) + 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row with these sort values, or before it when backward."""

    values: tuple[SortValue, ...]
    backward: bool
    horizon: Horizon


@dataclass(frozen=True, slots=True)
class Wanted:
    """One page of a plan; `wide` tells how it is sorted, `total` whether matches are counted."""

    plan: Plan
    size: int
    start: Place | None
    total: bool
    wide: bool

    @property
    def backward(self) -> bool:
        """Tell whether the page is read from its end."""
        return self.start is not None and self.start.backward

    @property
    def sort_columns(self) -> int:
        """Return how many columns, the last ones, are sort values."""
        return len(self.plan.request.sort) + 1 if self.plan.request.sort else 2


@dataclass(frozen=True, slots=True)
class _Frame:
    """A statement but for its conditions: its SELECTs, and the order of the inner one.

    Where there is one, `matches` takes the conditions, and the inner one puts its rows in order.
    """

    order: tuple[Ordering, ...]
    inner: Select[Any]
    outer: Select[Any]
    matches: Select[Any] | None = None


def page_rows(connection: Connection, wanted: Wanted) -> Sequence[Sequence[Any]]:
    """Return the rows of a page, one more where there is more, in the order they are read.

    Columns: `COLUMNS`, dict_id, body; mark and epoch with a first page; the total where
    it is wanted; the sort values.
    """
    plan = wanted.plan
    named = plan.named | {_SIZE: wanted.size + 1}
    if plan.shape is None or wanted.start is not None:
        return _rows_by_structure(connection, wanted, named)
    simple = _simple_rows(connection, wanted, named)
    if simple is not None:
        return simple
    key = ("page", plan.shape, plan.request.sort, wanted.total)
    template = kept(connection, key)
    if template is None:
        frame = _new_frame(connection, wanted)
        statement = _within(frame, and_(*plan.where), true())
        template = keep(connection, key, template_of(connection, statement))
    return run(connection, template, named)


def _simple_rows(
    connection: Connection, wanted: Wanted, named: dict[str, Any]
) -> Sequence[Sequence[Any]] | None:
    """Return the rows of a first page that is quickly judged; None where there are none such.

    One match with a label, and who may see them is told by a longer condition.
    """
    plan = wanted.plan
    if plan.simply is None or not wanted.total:
        return None
    key = ("simple page", plan.shape, plan.request.sort)
    template = keeping(connection, key, lambda: _simple_template(connection, wanted))
    rows = run(connection, template, named) if template is not False else ()
    return rows if rows and not rows[0][_SOME_LABELLED] else None


def _simple_template(connection: Connection, wanted: Wanted) -> Template | Literal[False]:
    where = wanted.plan.simply and wanted.plan.simply()
    if where is None:
        return False
    frame = _new_frame(connection, wanted, simple=True)
    return template_of(connection, _within(frame, and_(*where), true()))


def _rows_by_structure(
    connection: Connection, wanted: Wanted, named: dict[str, Any]
) -> Sequence[Sequence[Any]]:
    key = _frame_key(wanted)
    frame = kept(connection, key)
    if frame is None:
        frame = keep(connection, key, _new_frame(connection, wanted))
    condition = and_(*wanted.plan.where)
    beyond: ColumnElement[bool] = true()
    start = wanted.start
    if start is not None:
        condition = and_(condition, unchanged_since(wanted.plan.row, start.horizon))
        beyond = after(frame.order, start.values, backward=start.backward)
    make = partial(_within, frame, condition, beyond)
    part = and_(condition, beyond)
    return rows_by(connection, key, part, make, named, skewed=wanted.plan.skewed)


def _frame_key(wanted: Wanted) -> Hashable:
    """Return all that a frame depends on: sorting several keys has these in it."""
    plan, request = wanted.plan, wanted.plan.request
    keys = plan.patient_keys
    within = keys if keys is None or len(keys) != 1 else ONE_KEY
    plainly = (not request.conditions and request.compartment is None, len(request.types) == 1)
    first = wanted.start is None
    how = (wanted.backward, wanted.total, wanted.wide)
    return "frame", plan.scope, request.sort, within, plainly, first, how


def _within(
    frame: _Frame, condition: ColumnElement[bool], beyond: ColumnElement[bool]
) -> Select[Any]:
    if frame.matches is None:
        return frame.outer.add_cte(frame.inner.where(condition, beyond).cte("p"))
    matches, inner = frame.matches.where(condition).cte("m"), frame.inner.where(beyond).cte("p")
    return frame.outer.add_cte(matches, inner)


def _new_frame(connection: Connection, wanted: Wanted, *, simple: bool = False) -> _Frame:
    plan = wanted.plan
    row, matches = plan.row, None
    label: ColumnElement[int] | None = None
    if simple:
        label = case((is_labelled(row), 1), else_=0).label(_LABELLED)
    sight = plan.scope, of(connection).hasher
    order = orderings(plan.request, row, plan.patient_keys, sight, wide=wanted.wide)
    if is_postgres(connection) and plan.patient_keys is not None and any(map(_is_joined, order)):
        # It expects one match in a record, and would read all sort values again for each.
        matches = select(*(row.c[name] for name in COLUMNS), *([] if label is None else [label]))
        row = table("m", *(column(name) for name in (*COLUMNS, _LABELLED)))
        label = None if label is None else row.c[_LABELLED]
        order = orderings(plan.request, row, plan.patient_keys, sight)
    counted = _counted(wanted, label)
    inner = _inner(wanted, row, order, counted, hashed=matches is not None)
    beside = [one.name for one in counted]
    return _Frame(order, inner, outer(connection, wanted, order, *beside), matches)


def _counted(wanted: Wanted, label: ColumnElement[int] | None) -> list[Label[int]]:
    """Return what is told of all matches together."""
    some = [] if label is None else [func.max(label).over().label(_LABELLED)]
    return [*some, *([func.count().over().label("total")] if wanted.total else [])]


def _is_joined(one: Ordering) -> bool:
    return one.source is not None


def _inner(
    wanted: Wanted,
    row: FromClause,
    order: tuple[Ordering, ...],
    counted: Sequence[Label[int]],
    *,
    hashed: bool,
) -> Select[Any]:
    """Return the SELECT that orders and limits; `hashed`: by a join that can't be a nested loop."""
    sources = row
    for one in order:
        if one.source is not None:
            key = and_(one.source.c.patient_key == row.c.patient_key, one.source.c.rid == row.c.rid)
            sources = sources.outerjoin(one.source, key, full=hashed)
    columns = [one.column for one in order]
    statement = (
        select(
            *(row.c[name] for name in COLUMNS),
            *counted,
            *(one.label(f"s{n}") for n, one in enumerate(columns)),
        )
        .select_from(sources)
        .order_by(*_directions(columns, order, wanted.backward))
        .limit(bindparam(_SIZE, wanted.size + 1))
    )
    # Written so that the planner does not see that the join might as well be a left one.
    return statement.where(func.coalesce(row.c.rid, 0) != 0) if hashed else statement


def outer(
    connection: Connection, wanted: Wanted, order: tuple[Ordering, ...], *beside: str
) -> Select[Any]:
    """Return the SELECT of bodies for the rows of `p`: `beside` stands before its sort values."""
    names = [f"s{n}" for n in range(len(order))]
    found = table("p", *(column(name) for name in (*COLUMNS, *beside, *names)))
    version = _VERSION
    same = and_(
        version.c.patient_key == found.c.patient_key,
        version.c.rid == found.c.rid,
        version.c.version == found.c.version,
    )
    sorted_by = [found.c[name] for name in names]
    return (
        select(
            *(found.c[name] for name in COLUMNS),
            version.c.dict_id,
            version.c.body,
            *(marks(connection) if wanted.start is None else ()),
            *(found.c[name] for name in beside),
            *sorted_by,
        )
        .join_from(found, version, same)
        .order_by(*_directions(sorted_by, order, wanted.backward))
    )


def _directions(
    columns: Sequence[ColumnElement[Any]], order: tuple[Ordering, ...], backward: bool
) -> list[ColumnElement[Any]]:
    return [
        one.desc() if by.descending is not backward else one.asc()
        for one, by in zip(columns, order, strict=True)
    ]
