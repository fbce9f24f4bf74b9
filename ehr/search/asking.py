"""Who asks, where and how: what every statement of a search needs beside its own question."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, FromClause

from auth.principal import Principal
from ehr.access.visible import visible
from ehr.search.matching import MatchContext
from ehr.terminology import Source

if TYPE_CHECKING:
    from ehr.record import Record

Visible = Callable[[FromClause], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Asking:
    """What a condition needs: where to ask, what the caller may see, how values compare."""

    connection: Connection
    visible: Visible
    context: MatchContext


def asking_for(record: "Record", principal: Principal, connection: Connection) -> Asking:
    """Return what every statement needs that is asked as this caller."""
    seen = _seen_by(principal)
    return Asking(connection, seen, _match_context(record, connection, seen))


def _seen_by(principal: Principal) -> Visible:
    def condition(row: FromClause) -> ColumnElement[bool]:
        return visible(row, principal)

    return condition


def _match_context(record: "Record", connection: Connection, seen: Visible) -> MatchContext:
    settings, hasher = record.settings, record.database.hasher
    return MatchContext(
        hasher,
        timezone=settings.record_timezone,
        base_urls=record.indexer.base_urls,
        now=lambda: record.clock() * 1000,
        source=Source(connection, seen, hasher, record.indexer.base_urls),
    )
