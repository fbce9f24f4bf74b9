"""A walk over the pages of a search: where this page begins, and the links to those around it.

ehr/README.md, *Paging*. A walk never returns a row twice nor one created after its first page, and
returns each row that did not change meanwhile exactly once, in either direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from sqlalchemy import Connection

from ehr.messages import Instant
from ehr.search.plan.plan import Plan
from ehr.search.request import SearchRequest
from ehr.search.results.cursor import Cursor, expired, seal, unseal
from ehr.search.results.links import page_address, search_address
from ehr.search.results.page import Page, is_wide, page, visited_page, with_total
from ehr.search.results.page_statement import Place
from ehr.search.results.sort import SortValue, depends_on_number
from ehr.store.horizon import recall

Link = tuple[str, str]  # relation, address


@dataclass(frozen=True, slots=True)
class Walker:
    """Who walks, with which cursor keys (the first seals, all open), when, at which address."""

    caller: str
    keys: Sequence[bytes]
    now: Instant
    base: str


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a walk with its links and the total, where that was wanted."""

    total: int | None
    links: tuple[Link, ...]
    page: Page = field(default_factory=lambda: Page(()))
    estimated: bool = False


def step(connection: Connection, plan: Plan, walker: Walker, *, size: int) -> Step:
    """Return the page that the request's cursor leads to; the first one where it has none."""
    request = plan.request
    if request.cursor is None:
        first, wide = _first(connection, plan, size)
        first = with_total(connection, plan, first)
        links = _links(request, walker, size, first, None, wide=wide)
        return Step(first.total, links, first, first.estimated)
    cursor = unseal(
        request.cursor,
        keys=walker.keys,
        caller=walker.caller,
        search=_digest(request),
        now=walker.now,
    )
    horizon = recall(connection, cursor.mark)
    if horizon.epoch != cursor.epoch:
        raise expired()
    start = Place(cursor.values, cursor.backward, horizon)
    here = _later(connection, plan, size, start, wide=cursor.wide)
    here = replace(here, total=cursor.total, estimated=cursor.estimated)
    links = _links(request, walker, size, here, cursor, wide=cursor.wide)
    return Step(cursor.total, links, here, cursor.estimated)


def _first(connection: Connection, plan: Plan, size: int) -> tuple[Page, bool]:
    """Return the first page, and whether the walk is one over many matches."""
    visited = visited_page(connection, plan, size=size)
    if visited is not None:
        return visited, depends_on_number(plan.request, plan.patient_keys)
    wide = is_wide(connection, plan)
    return page(connection, plan, size=size, total=_wants_count(plan), wide=wide), wide


def _later(connection: Connection, plan: Plan, size: int, start: Place, *, wide: bool) -> Page:
    visited = None
    # That few match is known by then.
    if wide or not depends_on_number(plan.request, plan.patient_keys):
        visited = visited_page(connection, plan, size=size, start=start)
    return visited or page(connection, plan, size=size, start=start, wide=wide)


def self_link(request: SearchRequest, walker: Walker) -> Link:
    """Return the link of an answer that has no pages."""
    return "self", search_address(walker.base, request, request.count or 0)


def _wants_count(plan: Plan) -> bool:
    """Tell whether matches are counted: within one patient, where it costs little, by default."""
    asked = plan.request.total
    return asked == "accurate" or (asked != "none" and plan.patient_keys is not None)


def _links(
    request: SearchRequest,
    walker: Walker,
    size: int,
    here: Page,
    cursor: Cursor | None,
    *,
    wide: bool,
) -> tuple[Link, ...]:
    first = search_address(walker.base, request, size)

    def beside(values: tuple[SortValue, ...], *, backward: bool) -> str:
        # The walk's first page may be found again by going back: its moment stays the same.
        to = Cursor(
            values,
            backward,
            here.mark,
            here.epoch,
            here.total,
            walker.now,
            wide,
            here.estimated,
        )
        sealed = seal(to, keys=walker.keys, caller=walker.caller, search=_digest(request))
        return page_address(first, sealed)

    own = first if cursor is None else page_address(first, request.cursor or "")
    links = [("self", own), ("first", first)]
    backward = cursor is not None and cursor.backward
    if here.matches and (backward or here.more):
        links.append(("next", beside(here.last, backward=False)))
    if here.matches and cursor is not None and (here.more or not backward):
        links.append(("previous", beside(here.first, backward=True)))
    return tuple(links)


def _digest(request: SearchRequest) -> bytes:
    """Return what a cursor is bound to: the search, however large its pages are."""
    parts = [repr(request.types), repr(request.compartment)]
    parts += [repr(pair) for pair in request.understood if pair[0] != "_count"]
    return sha256("\n".join(parts).encode("utf-8", "surrogatepass")).digest()
