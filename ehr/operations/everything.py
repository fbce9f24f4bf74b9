"""$everything (R4 §8.1.12, §8.11.12): a whole record, or all that concerns one resource of it.

A patient's: every resource of the patient, those of nobody's record that name them, and what these
refer to. Of an Encounter, CarePlan, CareTeam or EpisodeOfCare: itself, what refers to it, what a
plan or team consists of, and what these refer to. Never another patient's data.

All in one Bundle unless `_count` asks for pages; pages show what was there when the walk began.
`_type` and `_since` hold for included resources as for matches; `start` and `end` leave in what has
no care date. The Bundle's `meta.lastUpdated` is the moment to poll from with `_since`.
"""

from auth.principal import Principal
from ehr.interactions.read import present
from ehr.messages import Interaction, Result
from ehr.operations.everything_asked import read
from ehr.operations.everything_links import Walk, address, sealed, walk_of
from ehr.record import Record
from ehr.search.asking import asking_for
from ehr.search.everything.scope import scope_of
from ehr.search.everything.walk import Page, page
from ehr.search.request import SearchRequest
from ehr.search.results.bundle import searchset


def everything(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Return a searchset Bundle of everything that was asked for."""
    asked = read(interaction, record.settings, principal.kind)
    row = None
    if interaction.id is not None:
        row = present(record, principal, interaction, letters="rs")
    with record.database.read() as connection:
        asking = asking_for(record, principal, connection, letters="rs")
        walk = walk_of(record, principal, interaction, asked.params, asking)
        found = page(
            asking,
            scope_of(asking, row),
            asked.wanted,
            start=walk.start,
            horizon=walk.horizon,
            size=asked.size,
        )
    links = [("self", address(interaction, asked.params))]
    if found.next is not None:
        cursor = sealed(record, principal, interaction, asked.params, walk, found.next)
        links.append(("next", address(interaction, asked.params, cursor)))
    body = searchset(
        SearchRequest(),
        base=interaction.base,
        id=record.new_id(),
        at=walk.polled,
        links=links,
        total=_total(walk, found),
        matches=found.matches,
        included=found.included,
    )
    shown = tuple(one.item for one in (*found.matches, *found.included))
    return Result(status=200, body=body, last_modified=walk.polled, shown=shown)


def _total(walk: Walk, found: Page) -> int | None:
    """Return the number of matches where one page has them all."""
    is_whole = walk.horizon is None and (found.next is None or found.next.own is None)
    return len(found.matches) if is_whole else None
