"""Search: over one type, over several, or in a compartment (FHIR R4 §3.1.0.9 and §3.1.1)."""

from typing import TYPE_CHECKING

from ehr.messages import Interaction, Result
from ehr.search.bundle import searchset
from ehr.search.compartment import compartment_types
from ehr.search.found import Found, fetch
from ehr.search.include import MAXIMUM_INCLUDED, MAXIMUM_ROUNDS, Linked, linked_rows
from ehr.search.matches import Asking
from ehr.search.plan import Plan, plan
from ehr.search.query import parse
from ehr.search.request import Compartment, SearchRequest
from ehr.search.run import count, find, match_context, seen_by
from ehr.search.walk import Step, Walker, self_link, step
from fhir_profiles.issues import Issue

if TYPE_CHECKING:
    from auth.principal import Principal
    from ehr.record import Record

__all__ = ["find", "search"]

_ALL_TYPES = "*"
_CUT = Issue(
    "too-costly",
    f"Not everything is included: the server follows {MAXIMUM_ROUNDS} rounds and "
    f"{MAXIMUM_INCLUDED} resources a page. Ask for smaller pages or fewer includes.",
    severity="warning",
)


def search(record: "Record", principal: "Principal", interaction: Interaction) -> Result:
    """Answer a search with a searchset Bundle."""
    request = _request(interaction)
    settings, now = record.settings, record.clock()
    walker = Walker(principal.id, (record.database.secret("cursor"),), now, interaction.base)
    included: tuple[Found, ...] = ()
    cut = False
    with record.database.read() as connection:
        planned = plan(connection, request, seen_by(principal), match_context(record))
        request = planned.request
        if request.counts_only:
            done = Step(total=count(connection, planned), links=(self_link(request, walker),))
        else:
            size = min(request.count or settings.page_size, settings.page_limit)
            done = step(connection, planned, walker, size=size)
            asking = Asking(connection, seen_by(principal), match_context(record))
            included, cut = _included(planned, done, asking)
    body = searchset(
        request,
        base=interaction.base,
        id=record.new_id(),
        at=now,
        links=done.links,
        total=done.total,
        matches=done.page.matches,
        included=included,
        issues=(*request.ignored, _CUT) if cut else request.ignored,
    )
    return Result(status=200, body=body)


def _request(interaction: Interaction) -> SearchRequest:
    lenient = interaction.preferences.lenient
    one = interaction.type if interaction.type != _ALL_TYPES else None
    if interaction.compartment is None:
        return parse((one,) if one else (), interaction.params, lenient=lenient)
    place = Compartment(interaction.compartment, interaction.id or "", one)
    types = compartment_types(place)
    return parse(types, interaction.params, compartment=place, lenient=lenient)


def _included(planned: Plan, done: Step, asking: Asking) -> tuple[tuple[Found, ...], bool]:
    """Return what to include with the page, and whether something had to be left out."""
    if not planned.request.includes or not done.page.matches:
        return (), False
    matches = [Linked(one.type, one.place) for one in done.page.matches]
    links = linked_rows(planned.request.includes, matches, asking)
    same = {(one.type, one.id, one.version) for one in done.page.matches}
    fetched = fetch(links.rows, asking)
    return tuple(one for one in fetched if (one.type, one.id, one.version) not in same), links.cut
