"""The pages of $everything as links: sealed cursors, bound to the caller and the question."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from auth.principal import Principal
from ehr.access.scope import bound_to
from ehr.messages import Instant, Interaction, Params
from ehr.operations import given
from ehr.record import Record
from ehr.search.asking import Asking
from ehr.search.everything.rows import beginning
from ehr.search.everything.walk import Position
from ehr.search.results.cursor import Cursor, expired, seal, unseal
from ehr.store import feed
from ehr.store.horizon import Horizon, recall


@dataclass(frozen=True, slots=True)
class Walk:
    """The walk that a page belongs to: `polled` and the marks are those of its first page."""

    polled: Instant
    mark: str
    epoch: str
    start: Position
    horizon: Horizon | None = None


def walk_of(
    record: Record, principal: Principal, interaction: Interaction, params: Params, asking: Asking
) -> Walk:
    """Return the walk that begins here, or the one that the cursor goes on with."""
    text = given.single(params, "_cursor")
    if text is None:
        return Walk(feed.watermark(asking.connection), *beginning(asking), Position())
    cursor = unseal(
        text,
        keys=(record.database.secret("cursor"),),
        caller=bound_to(principal),
        search=_bound(interaction, params),
        now=record.clock(),
    )
    horizon = recall(asking.connection, cursor.mark)
    if horizon.epoch != cursor.epoch:
        raise expired()
    polled, *place = (int(value or 0) for value in cursor.values)
    start = Position(own=(place[0], place[1])) if len(place) > 1 else Position(referred=place[0])
    return Walk(polled, cursor.mark, cursor.epoch, start, horizon)


def sealed(
    record: Record,
    principal: Principal,
    interaction: Interaction,
    params: Params,
    walk: Walk,
    position: Position,
) -> str:
    """Return the cursor that leads to another page of the walk."""
    place = position.own or (position.referred or 0,)
    return seal(
        Cursor((walk.polled, *place), False, walk.mark, walk.epoch, None, record.clock()),
        keys=(record.database.secret("cursor"),),
        caller=bound_to(principal),
        search=_bound(interaction, params),
    )


def _bound(interaction: Interaction, params: Params) -> bytes:
    """Return what a cursor is bound to: the question, however large its pages are."""
    kept = sorted(pair for pair in params if pair[0] not in ("_cursor", "_count"))
    return repr((interaction.operation, interaction.type, interaction.id, kept)).encode()


def address(interaction: Interaction, params: Params, cursor: str | None = None) -> str:
    """Return the address of this page, or of the one that a cursor leads to."""
    place = "/".join(part for part in (interaction.type, interaction.id, "$everything") if part)
    pairs = [pair for pair in params if cursor is None or pair[0] != "_cursor"]
    if cursor is not None:
        pairs.append(("_cursor", cursor))
    query = urlencode(pairs, safe=":/,$@!'()*;?~", quote_via=quote)
    return f"{interaction.base}/{place}" + (f"?{query}" if query else "")
