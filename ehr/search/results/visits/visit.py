"""A page of a search that very many rows pass: rows are visited in its order until it is full.

Lists of all that matches cost by their length, whatever the size of the page. Here an index gives
the order, each row on the way is asked (`questions.py`), and after so many rows the visit ends:
then, or where a condition is met by few, there is no page, and `page.py` makes it of lists. Values
and order are the same, so that pages of both kinds follow each other.
"""

from collections.abc import Hashable, Sequence
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import Connection, and_

from ehr.search.results.page_statement import Wanted
from ehr.search.results.visits.questions import may_be_visited, questions
from ehr.search.results.visits.statement import visit_statement
from ehr.search.results.visits.way import Way, way
from ehr.store.engine import is_postgres
from ehr.store.horizon import unchanged_since
from ehr.store.templates import keeping, rows_by

WINDOW = 2_000  # rows visited for a page
_FOR_EACH = 20  # at least, for each row of a large page
REMEMBERED = 60.0  # seconds
_MOST_REMEMBERED = 1_000


def visited_rows(connection: Connection, wanted: Wanted) -> Sequence[Sequence[Any]] | None:
    """Return the rows of a page as `page_rows` does; None if few match, or too many come between.

    In place of the total stands whether there are no further rows.
    """
    plan, start = wanted.plan, wanted.start
    if not plan.skewed or plan.asking is None or not may_be_visited(plan.request):
        return None
    if wanted.total or _is_vain(connection, wanted):
        return None
    here = way(plan.request, listed=is_postgres(connection))
    if start is not None and here.leaves_out(start.values[0]):
        return None
    asked = questions(plan.request, plan.asking)
    of_row = list(asked.of_row)
    values = dict(plan.scope.values)
    if start is not None:
        of_row.append(unchanged_since(plan.row, start.horizon))
        values |= {f"after_{n}": value for n, value in enumerate(start.values)}
    passes = and_(*of_row, *(one(here.driver) for one in asked.leading))
    part = and_(passes, *asked.many)
    window = max(WINDOW, wanted.size * _FOR_EACH)
    make = partial(visit_statement, connection, wanted, here, passes, asked.many, window)
    key = _key(wanted, window)
    rows = rows_by(connection, key, part, make, values)
    if len(rows) > wanted.size or (rows and _is_last(wanted, here, rows[0])):
        return rows
    if start is None:
        _remember(connection, wanted)
    return None


def _is_last(wanted: Wanted, here: Way, row: Sequence[Any]) -> bool:
    # What has no date comes after all that have one, and is not visited.
    return (wanted.backward or not here.by_date) and bool(row[-wanted.sort_columns - 1])


def _key(wanted: Wanted, window: int) -> Hashable:
    request, first = wanted.plan.request, wanted.start is None
    return "visit", request.types, request.sort, wanted.size, window, first, wanted.backward


def _is_vain(connection: Connection, wanted: Wanted) -> bool:
    """Tell whether the same search was visited for nothing a moment ago: it only takes time."""
    return monotonic() < _vain(connection).get(_asked(wanted), 0)


def _remember(connection: Connection, wanted: Wanted) -> None:
    vain = _vain(connection)
    if len(vain) >= _MOST_REMEMBERED:
        vain.clear()
    vain[_asked(wanted)] = monotonic() + REMEMBERED


def _vain(connection: Connection) -> dict[Hashable, float]:
    """Return until when searches are not visited again."""
    return keeping(connection, "vain visits", dict)


def _asked(wanted: Wanted) -> Hashable:
    request, scope = wanted.plan.request, wanted.plan.scope
    written = tuple(one.written for one in request.conditions)
    return scope, request.types, request.sort, wanted.size, written
