"""Who asks, where and how: what every statement of a search needs beside its own question."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, FromClause

from auth.principal import Principal
from ehr.access.scope import Scope, scope_of
from ehr.access.visible import visible_within
from ehr.search.matching import MatchContext
from ehr.store.engine import is_postgres
from ehr.store.hashing import Hasher
from ehr.terminology import Source

if TYPE_CHECKING:
    from ehr.record import Record

Visible = Callable[[FromClause], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Asking:
    """What a condition needs: where to ask, what the caller may see, how values compare.

    `scope` is all that `visible` goes by.
    """

    connection: Connection
    visible: Visible
    context: MatchContext
    scope: Scope


def asking_for(
    record: "Record", principal: Principal, connection: Connection, *, letters: str = "s"
) -> Asking:
    """Return what every statement needs that is asked as this caller, who needs these letters."""
    scope = scope_of(record.database, principal, letters)
    seen = _seen_by(scope, record.database.hasher)
    return Asking(connection, seen, _match_context(record, connection, seen), scope)


def in_whole(asking: Asking, *, whole: bool = True) -> Asking:
    """Return the same for rows that the caller sees whole: others can't be asked what they hide.

    Not `whole`: for rows of which the caller sees parts too, where only these are asked about.
    """
    if not asking.scope.role or asking.scope.whole == whole:
        return asking
    scope = replace(asking.scope, whole=whole)
    return replace(asking, scope=scope, visible=_seen_by(scope, asking.context.hasher))


def _seen_by(scope: Scope, hasher: Hasher) -> Visible:
    def condition(row: FromClause) -> ColumnElement[bool]:
        return visible_within(row, scope, hasher)

    return condition


def _match_context(record: "Record", connection: Connection, seen: Visible) -> MatchContext:
    settings, hasher = record.settings, record.database.hasher
    return MatchContext(
        hasher,
        timezone=settings.record_timezone,
        base_urls=record.indexer.base_urls,
        now=lambda: record.clock() * 1000,
        source=Source(connection, seen, hasher, record.indexer.base_urls),
        hash_lists=is_postgres(connection),
    )
