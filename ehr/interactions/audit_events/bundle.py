"""A page of events as a searchset, and the cursors that lead to the next."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from auth.principal import Principal
from ehr.access.scope import bound_to
from ehr.interactions import views
from ehr.interactions.audit_events.parameters import TYPE
from ehr.messages import Interaction, Resource
from ehr.record import Record
from ehr.search.results.cursor import Cursor, expired, seal, unseal
from ehr.store.bodies import instant
from fhir_profiles import json_format

if TYPE_CHECKING:
    from ehr.audit.finding import Edge


def edge_in(
    record: Record, principal: Principal, interaction: Interaction, text: str | None
) -> "Edge | None":
    """Return where a page goes on. Raises Invalid for a cursor of another search, Gone if old."""
    if text is None:
        return None
    cursor = unseal(
        text,
        keys=(record.database.secret("cursor"),),
        caller=bound_to(principal),
        search=_search_bytes(interaction),
        now=record.clock(),
    )
    if cursor.epoch != record.database.epoch:
        raise expired()
    at, writer, epoch, n = (int(value or 0) for value in cursor.values)
    return at, writer, epoch, n


def sealed(record: Record, principal: Principal, interaction: Interaction, edge: "Edge") -> str:
    """Return the cursor of the page behind an event."""
    cursor = Cursor(
        values=edge,
        backward=False,
        mark="",
        epoch=record.database.epoch,
        total=None,
        issued=record.clock(),
    )
    return seal(
        cursor,
        keys=(record.database.secret("cursor"),),
        caller=bound_to(principal),
        search=_search_bytes(interaction),
    )


def _search_bytes(interaction: Interaction) -> bytes:
    kept = [pair for pair in interaction.params if pair[0] not in ("_cursor", "_count")]
    return repr((interaction.compartment, interaction.id, sorted(kept))).encode()


def searchset(
    record: Record,
    interaction: Interaction,
    told: Sequence[Resource],
    cursor: str | None = None,
    total: int | None = None,
) -> bytes:
    """Return a page as a Bundle, each event whole or as `_summary` and `_elements` ask for it."""
    links = [{"relation": "self", "url": _address(interaction)}]
    if cursor is not None:
        links.append({"relation": "next", "url": _address(interaction, cursor)})
    bundle: Resource = {
        "resourceType": "Bundle",
        "id": record.new_id(),
        "meta": {"lastUpdated": instant(record.clock())},
        "type": "searchset",
        **({"total": total} if total is not None else {}),
        "link": links,
    }
    view = views.listed_view(interaction)
    if told:
        bundle["entry"] = [
            {
                "fullUrl": f"{interaction.base}/{TYPE}/{one['id']}",
                "resource": views.part(one, view),
                "search": {"mode": "match"},
            }
            for one in told
        ]
    return json_format.serialise(bundle)


def _address(interaction: Interaction, cursor: str | None = None) -> str:
    pairs = [pair for pair in interaction.params if pair[0] != "_cursor"]
    if cursor is not None:
        pairs.append(("_cursor", cursor))
    query = urlencode(pairs, safe=":/,$@!'()*;?~|", quote_via=quote)
    place = f"Patient/{interaction.id}/{TYPE}" if interaction.compartment else TYPE
    return f"{interaction.base}/{place}" + (f"?{query}" if query else "")
