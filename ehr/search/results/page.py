"""Runs a plan: one statement for a page of matches with their bodies, one more for what follows.

ehr/README.md, *Statements* and *Paging*. The first page takes the mark of the moment its walk
began; later pages keep to what has not changed since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, func, select

from ehr.search.plan.plan import Plan
from ehr.search.results.found import Found, found
from ehr.search.results.page_statement import Place, Wanted, page_rows
from ehr.search.results.sort import SortValue, depends_on_number
from ehr.search.results.visits.visit import visited_rows
from ehr.store.estimates import estimated_rows
from ehr.store.templates import keep, kept, rows_of, run, template_of

_MANY = 2_000


@dataclass(frozen=True, slots=True)
class Page:
    """The matches of one page; `first` and `last` are the sort values of its ends.

    `mark` and `epoch` say when the walk began. `more` tells whether there is more in the direction
    of the walk, `total` is None where it is not known, and maybe `estimated`.
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
    wanted = Wanted(plan, size, start, total, wide)
    return _page_of(connection, wanted, page_rows(connection, wanted))


def visited_page(
    connection: Connection, plan: Plan, *, size: int, start: Place | None = None
) -> Page | None:
    """Return a page that is found by visiting rows in their order; None where it is not found."""
    wanted = Wanted(plan, size, start, total=False, wide=False)
    rows = visited_rows(connection, wanted)
    return None if rows is None else _page_of(connection, wanted, rows)


def _page_of(connection: Connection, wanted: Wanted, rows: Sequence[Sequence[Any]]) -> Page:
    size, start, total = wanted.size, wanted.start, wanted.total
    more, rows = len(rows) > size, rows[:size]
    if wanted.backward:
        rows = rows[::-1]
    if not rows:
        return Page((), total=0 if total else None)
    mark, epoch = (start.horizon.mark, start.horizon.epoch) if start else rows[0][8:10]
    count = wanted.sort_columns
    return Page(
        tuple(found(connection, row) for row in rows),
        more,
        rows[0][-count - 1] if total else None,
        mark,
        epoch,
        tuple(rows[0][-count:]),
        tuple(rows[-1][-count:]),
    )


def is_wide(connection: Connection, plan: Plan) -> bool:
    """Tell whether so many resources match that it decides how they are sorted."""
    if not depends_on_number(plan.request, plan.patient_keys):
        return False
    some = select(plan.row.c.rid).where(*plan.where).limit(_MANY).subquery()
    statement = select(func.count()).select_from(some)
    [(number,)] = rows_of(connection, statement, skewed=plan.skewed)
    return bool(number == _MANY)


def count(connection: Connection, plan: Plan) -> int:
    """Return how many resources match."""
    if plan.shape is None:
        [(number,)] = rows_of(connection, _counting(plan), skewed=plan.skewed)
        return int(number)
    key = ("count", plan.shape)
    template = kept(connection, key) or keep(
        connection, key, template_of(connection, _counting(plan))
    )
    [(number,)] = run(connection, template, plan.named)
    return int(number)


def _counting(plan: Plan) -> Select[int]:
    return select(func.count()).select_from(plan.row).where(*plan.where)


def with_total(connection: Connection, plan: Plan, first: Page) -> Page:
    """Return a first page with how many match: known where it is the last, or as estimated."""
    asked = plan.request.total
    if first.total is not None or asked == "none":
        return first
    if not first.more:
        return replace(first, total=len(first.matches))
    if asked != "estimate":
        return first
    if plan.scope.rules is not None:
        # The guess is about all rows, of which the caller may see few.
        return replace(first, total=count(connection, plan))
    guess = estimated_rows(connection, select(plan.row.c.rid).where(*plan.where))
    if guess is None:
        return replace(first, total=count(connection, plan))
    return replace(first, total=max(guess, len(first.matches) + 1), estimated=True)
