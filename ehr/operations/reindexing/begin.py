"""The beginning of a `$reindex`: by which definitions rows are made from then on, where it starts.

One transaction, which everybody waits for who writes a SearchParameter. Where the definitions
change a new generation begins: from its COMMIT on no write by an earlier one can begin.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ehr.errors import Invalid
from ehr.operations.reindexing.asked import Asked, read
from ehr.record import Record
from ehr.search.definitions import holds, wanted
from ehr.search.parameters.custom import Definition, conflict, definition_of
from ehr.store import reindex_runs, reindexing, search_definitions
from ehr.store.reindex_runs import RUNNING, Run
from ehr.store.search_definitions import Indexed

if TYPE_CHECKING:
    from sqlalchemy import Connection

SWEEPING = "sweeping"


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that may go on: what is to be done, and which types it is about (None: all)."""

    run: Run
    asked: Asked
    types: frozenset[str] | None
    resumed: bool

    @property
    def scope(self) -> str:
        """Return the condition of the resources that the run is about."""
        if self.types is None or self.asked.types is not None:
            return reindexing.of_types(self.types)
        return reindexing.affected_by(self.types)


def begin(record: Record, asked: Asked, holder: str) -> Begun:
    """Begin a run, or go on with the one that was left; the lock of runs must be held.

    Raises Invalid for a parameter that nobody defined.
    """
    begun = record.database.write(lambda connection: _begin(record, connection, asked, holder))
    record.definitions.refresh()
    return begun


def _begin(record: Record, connection: "Connection", asked: Asked, holder: str) -> Begun:
    search_definitions.change(connection)
    last = reindex_runs.newest(connection)
    left = last if last is not None and last.state == RUNNING else None
    if left is not None:
        asked = asked.joined(read(left.asked))
    rows = search_definitions.indexed(connection)
    defined = wanted(connection)
    scope = _scope(asked, rows, defined)
    generation, changed = _change(connection, rows, defined, scope)
    types = _types(asked, rows, defined, scope)
    if left is not None and not changed and left.asked == asked.text():
        reindex_runs.take(connection, left, holder)
        return Begun(replace(left, holder=holder), asked, types, resumed=True)
    if left is not None:
        reindex_runs.take(connection, left, holder)
        reindex_runs.change(connection, replace(left, holder=holder), state="joined")
    number = last.run + 1 if last is not None else 1
    now = record.clock()
    run = Run(
        number, RUNNING, holder, asked.text(), generation, now, now, SWEEPING,
        at_key=None, at_rid=None, visited=0, changed=0, result=None,
    )  # fmt: skip
    reindex_runs.add(connection, run)
    return Begun(run, asked, types, resumed=False)


def _scope(
    asked: Asked, rows: Collection[Indexed], defined: Mapping[str, Definition]
) -> frozenset[str]:
    """Return the urls of the definitions that are asked for."""
    known = {one.url: definition_of(one.url, one.definition) for one in rows} | dict(defined)
    if not asked.parameters:
        return frozenset(known) if asked.types is None else frozenset()
    found: set[str] = set()
    for name in asked.parameters:
        named = {
            url for url, one in known.items() if name in (url, *(p.code for p in one.parameters))
        }
        if not named:
            raise Invalid(
                f"`{name[:200]}` is neither url nor code of an active SearchParameter of this "
                f"record. There are: {', '.join(sorted(known)) or 'none'}.",
                code="not-found",
                expression="parameter",
            )
        found |= named
    return frozenset(found)


def _change(
    connection: "Connection",
    rows: Collection[Indexed],
    defined: Mapping[str, Definition],
    scope: frozenset[str],
) -> tuple[int, bool]:
    """Let rows be made by what is wanted; return the generation, and whether it is a new one."""
    current = [one for one in rows if one.until is None]
    kept = {one.url for one in current if holds(one, defined)}
    added = [defined[url] for url in sorted(scope & defined.keys() - kept)]
    ended = [
        one
        for one in current
        if one.url not in kept and (one.url in scope or _gives_way(one, added))
    ]
    if not added and not ended:
        return search_definitions.numbers(connection)[0], False
    generation = search_definitions.new_generation(connection)
    for one in ended:
        search_definitions.end(connection, one, generation)
    for definition in added:
        fresh = Indexed(definition.url, generation, None, False, definition.text())
        search_definitions.add(connection, fresh)
    return generation, True


def _gives_way(one: Indexed, added: Collection[Definition]) -> bool:
    old = definition_of(one.url, one.definition)
    return any(conflict(old, new) is not None for new in added)


def _types(
    asked: Asked,
    rows: Collection[Indexed],
    defined: Mapping[str, Definition],
    scope: frozenset[str],
) -> frozenset[str] | None:
    if not asked.parameters:
        return None if asked.types is None else frozenset(asked.types)
    named = [definition_of(one.url, one.definition) for one in rows if one.url in scope]
    named += [defined[url] for url in scope if url in defined]
    of_scope = frozenset[str]().union(*(one.types for one in named))
    return of_scope if asked.types is None else of_scope & frozenset(asked.types)
