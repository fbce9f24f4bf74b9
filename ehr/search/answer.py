"""A search from request to Bundle: plan, page or count, includes, links.

Statements: one for the references and ids of the request, one a page; then one for each step that
leaves the key (`plan/steps.py`), one for each round of includes and one for their bodies; a
later page asks once what came meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.principal import Principal
from ehr.access.scope import bound_to
from ehr.messages import Instant, Item
from ehr.search.asking import Asking, asking_for
from ehr.search.plan.plan import Plan, plan
from ehr.search.request import SearchRequest
from ehr.search.results.bundle import searchset
from ehr.search.results.found import Found, fetch
from ehr.search.results.include import MAXIMUM_INCLUDED, MAXIMUM_ROUNDS, linked_rows
from ehr.search.results.linked import Linked
from ehr.search.results.page import Page, count
from ehr.search.results.walk import Step, Walker, self_link, step
from fhir_profiles.issues import Issue

if TYPE_CHECKING:
    from ehr.record import Record

_ESTIMATED = Issue(
    "informational",
    "`total` is the database's estimate. Ask with `_total=accurate` for the exact number.",
    severity="information",
)
_CUT = Issue(
    "too-costly",
    f"Not everything is included: the server follows {MAXIMUM_ROUNDS} rounds and "
    f"{MAXIMUM_INCLUDED} resources a page. Ask for smaller pages or fewer includes.",
    severity="warning",
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a search brings, before it is written. `cut`: more was to be included."""

    request: SearchRequest
    at: Instant
    step: Step
    included: tuple[Found, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A searchset Bundle, the rows that are in it, and how many there are where it counts them."""

    body: bytes
    shown: tuple[Item, ...]
    found: int | None


def answer(record: "Record", principal: Principal, request: SearchRequest, base: str) -> Answer:
    """Return the searchset Bundle that answers a request."""
    with record.database.read() as connection:
        asking = asking_for(record, principal, connection)
        found = gathered(record, principal, plan(request, asking), asking, base)
    body = searchset(
        found.request,
        base=base,
        id=record.new_id(),
        at=found.at,
        links=found.step.links,
        total=found.step.total,
        matches=found.step.page.matches,
        included=found.included,
        issues=(*found.request.ignored, *_remarks(found)),
    )
    shown = tuple(one.item for one in (*found.step.page.matches, *found.included))
    return Answer(body, shown, found.step.total if request.counts_only else None)


def _remarks(found: Gathered) -> Iterator[Issue]:
    if found.cut:
        yield _CUT
    if found.step.estimated:
        yield _ESTIMATED


def gathered(
    record: "Record", principal: Principal, planned: Plan, asking: Asking, base: str
) -> Gathered:
    """Return everything that a plan brings."""
    walker = Walker(bound_to(principal), (record.database.secret("cursor"),), record.clock(), base)
    done = _step(record, planned, walker, asking)
    included, cut = _included(planned, done.page, asking)
    return Gathered(planned.request, walker.now, done, included, cut)


def _step(record: "Record", planned: Plan, walker: Walker, asking: Asking) -> Step:
    request, settings = planned.request, record.settings
    if request.counts_only:
        links = (self_link(request, walker),)
        return Step(count(asking.connection, planned), links)
    size = min(request.count or settings.page_size, settings.page_limit.of(asking.scope.kind))
    return step(asking.connection, planned, walker, size=size)


def _included(planned: Plan, page: Page, asking: Asking) -> tuple[tuple[Found, ...], bool]:
    """Return what to include with the page, and whether something had to be left out."""
    if not planned.request.includes or not page.matches:
        return (), False
    matches = [Linked(one.type, one.place) for one in page.matches]
    linked = linked_rows(planned.request.includes, matches, asking)
    same = {(*one.place, one.version) for one in page.matches}
    fetched = fetch(linked.rows, asking)
    return tuple(one for one in fetched if (*one.place, one.version) not in same), linked.cut
