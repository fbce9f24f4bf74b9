"""A walk over the pages of `$everything`: first the rows of the scope, then what they refer to.

Statements of a page, however many rows: the rows, what they refer to, the Binaries attached, and
the bodies of both.
"""

from dataclasses import dataclass

from ehr.search.asking import Asking
from ehr.search.everything.attachments import attached_binaries
from ehr.search.everything.rows import Filter, own_rows, referred_rows
from ehr.search.everything.scope import Scope
from ehr.search.matching import KeyAndRow
from ehr.search.results.found import Found, fetch
from ehr.search.results.linked import Linked
from ehr.store.horizon import Horizon


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: behind this row of the scope, or behind this rid of what is referred."""

    own: KeyAndRow | None = None
    referred: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `next` is None on the last."""

    matches: tuple[Found, ...] = ()
    included: tuple[Found, ...] = ()
    next: Position | None = None


def page(
    asking: Asking,
    scope: Scope,
    wanted: Filter,
    *,
    start: Position,
    horizon: Horizon | None,
    size: int,
) -> Page:
    """Return the page of at most `size` rows that begins at a position, and what is attached."""
    matches: list[Found] = []
    if start.referred is None:
        matches = own_rows(asking, scope, wanted, after=start.own, horizon=horizon, size=size)
        if len(matches) > size:
            matches = matches[:size]
            included = _fetched(asking, scope, wanted, matches, [])
            return Page(tuple(matches), included, Position(own=matches[-1].place))
    left = size - len(matches)
    rows = referred_rows(asking, scope, wanted, after=start.referred or 0, size=left)
    included = _fetched(asking, scope, wanted, matches, rows[:left])
    return Page(tuple(matches), included, _after(rows, left, start.referred or 0))


def _after(rows: list[Linked], left: int, before: int) -> Position | None:
    if len(rows) <= left:
        return None
    return Position(referred=rows[left - 1].place[1] if left else before)


def _fetched(
    asking: Asking, scope: Scope, wanted: Filter, matches: list[Found], rows: list[Linked]
) -> tuple[Found, ...]:
    """Return these rows and the Binaries attached to the matches, as far as they are wanted."""
    home = (*(scope.keys or ()), scope.home)
    known = {*scope.places, *(one.place for one in matches), *(row.place for row in rows)}
    if not wanted.types or "Binary" in wanted.types:
        rows = rows + [
            row
            for row in attached_binaries(asking, matches, home)
            if row.place not in known and row.place[0] not in (scope.keys or ())
        ]
    found = fetch(rows, asking)
    if wanted.since is None:
        return found
    return tuple(one for one in found if one.last_updated >= wanted.since)
