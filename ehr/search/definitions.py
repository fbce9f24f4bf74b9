"""By what a record can be searched and how its rows are made, as every process knows it.

A definition goes through three states. *Stored*: a SearchParameter is there, nothing is indexed
by it. *Indexing*: `$reindex` has begun; every write is indexed by it from then on, older rows one
after another. *Ready*: the counts are proven, it can be searched by. Retired or changed, it is
withdrawn at once, and its rows go with the next `$reindex`.

What is known here may be `FRESH` seconds old. Searches may go by that, but look again before they
refuse. Writes may not: their transaction reads the generation in force (`feed.open_txn`) and is
done again where rows were made by another.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

from ehr.errors import Unprocessable
from ehr.messages import Resource
from ehr.search.indexer import Indexer
from ehr.search.parameters.custom import (
    NO_CUSTOM,
    Custom,
    Definition,
    custom_of,
    definition_of,
    has_effect,
    in_force,
)
from ehr.store import search_definitions as store
from ehr.store.bodies import compose
from ehr.store.drafts import Written
from ehr.store.index_stamps import generation_of
from ehr.store.search_definitions import Indexed
from fhir_profiles import json_format
from fhir_profiles.issues import Issue

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.store.engine import Database

FRESH = 1.0  # seconds
TYPE = "SearchParameter"


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read at one moment."""

    generation: int
    revision: int
    indexed: tuple[Indexed, ...]
    custom: Custom
    indexer: Indexer
    # Of earlier generations whose rows are still there.
    earlier: dict[int, Indexer] = field(default_factory=dict)


class Definitions:
    """The definitions of one record in this process; any thread may ask."""

    def __init__(self, database: "Database", timezone: str, base_urls: tuple[str, ...]) -> None:
        self._database = database
        self._timezone, self._base_urls = timezone, base_urls
        self._reading = threading.Lock()
        self._read_at = monotonic()
        self._known = _Known(0, 0, (), NO_CUSTOM, self._indexer((), 0))
        self.refresh()

    @property
    def indexer(self) -> Indexer:
        """Return what makes the rows of writes."""
        return self._known.indexer

    @property
    def custom(self) -> Custom:
        """Return what can be searched by beside R4's parameters."""
        return self._known.custom

    def refresh_if_old(self) -> None:
        """Look whether something has changed, once in a while."""
        if monotonic() - self._read_at > FRESH:
            self.refresh()

    def refresh(self) -> bool:
        """Read anew what has changed; tell whether anything had."""
        before = self._known
        with self._reading:
            began = monotonic()
            with self._database.read() as connection:
                self._read(connection)
            self._read_at = began
        return self._known is not before

    def indexer_of(self, number: int) -> Indexer:
        """Return what made rows with this stamp; their release must be this one."""
        known = self._known
        if number == known.indexer.stamp:
            return known.indexer
        generation = generation_of(number)
        if generation > known.generation:
            self.refresh()
            known = self._known
        found = known.earlier.get(generation)
        if found is None:
            found = known.earlier[generation] = self._indexer(known.indexed, generation)
        return found

    def _read(self, connection: "Connection") -> None:
        numbers = store.numbers(connection)
        if numbers == (self._known.generation, self._known.revision):
            return
        # The numbers were read first: what changes meanwhile is read again next time.
        rows = tuple(store.indexed(connection))
        defined = wanted(connection)
        ready = {one.url for one in rows if one.ready and holds(one, defined)}
        self._known = _Known(
            *numbers,
            rows,
            custom_of(
                [one for url, one in defined.items() if url in ready],
                [one for url, one in defined.items() if url not in ready],
            ),
            self._indexer(rows, numbers[0]),
        )

    def _indexer(self, rows: tuple[Indexed, ...], generation: int) -> Indexer:
        made_by = [
            each
            for one in rows
            if one.holds_in(generation)
            for each in definition_of(one.url, one.definition).parameters
        ]
        hasher = self._database.hasher
        return Indexer(hasher, self._timezone, self._base_urls, made_by, generation)


def holds(one: Indexed, defined: Mapping[str, Definition]) -> bool:
    """Tell whether rows are made now by what a SearchParameter says."""
    return one.until is None and defined.get(one.url) == definition_of(one.url, one.definition)


def resources(connection: "Connection") -> dict[str, Resource]:
    """Return the SearchParameters of the record, by id."""
    return {
        id: json_format.reparse(compose(TYPE, id, 1, 0, body))
        for id, body in store.stored(connection).items()
    }


def wanted(connection: "Connection") -> dict[str, Definition]:
    """Return what the SearchParameters of the record define, by url."""
    return in_force(resources(connection))[0]


def judge(
    connection: "Connection", written: Collection[tuple[str, Written]], *, tolerant: bool
) -> None:
    """Judge the SearchParameters that a transaction has written, each with its place in a Bundle.

    Raises Unprocessable; a tolerant server stores what has no effect. Others that write such as
    have an effect wait until the transaction ends.
    """
    effective = {one.id: at for at, one in written if one.stored and has_effect(_read(one))}
    if not effective and all(one.version == 1 for _, one in written):
        return  # a draft, or a copy of one of R4's, that was not there before
    store.change(connection)
    if tolerant or not effective:
        return
    _, refused = in_force(resources(connection), last=effective)
    for id, at in effective.items():
        if id in refused:
            issues = [_placed(one, at) for one in refused[id]]
            raise Unprocessable(issues[0].diagnostics, issues=issues)


def _read(one: Written) -> Resource:
    resource: Resource = json_format.reparse(compose(TYPE, one.id, 1, 0, one.stored))
    return resource


def _placed(issue: Issue, at: str) -> Issue:
    return replace(issue, expression=issue.expression.replace(TYPE, at, 1)) if at else issue


def behind(rows: Collection[Indexed], generation: int) -> dict[str, int]:
    """Return, by type, in which generation it was last indexed otherwise."""
    changed: dict[str, int] = {}
    for one in rows:
        for number in (one.since, one.until):
            if number is not None and number <= generation:
                for type in definition_of(one.url, one.definition).types:
                    changed[type] = max(changed.get(type, 0), number)
    return changed
