"""What a caller sees by the naive evaluator: rows, versions, and an oracle of what is left.

To a caller, what may not be seen is not there. So a search by a caller is answered as the oracle of
`tests/spec/oracle/` answers it that knows only what the caller sees, as the caller sees it.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.policy.leaks.storing import milliseconds
from tests.policy.naive import Caller, Row, may_see, may_see_version, shown
from tests.policy.world import World
from tests.spec.oracle.search import Oracle

Resource = dict[str, Any]
Name = tuple[str, str]  # type and id
Seen = frozenset[Name]


def name_of(row: Row) -> Name:
    """Return the type and id of a row."""
    type, _, id = row.name.partition("/")
    return type, id


@dataclass(slots=True)
class Elements:
    """What FHIRPath finds in resources, for all oracles; these are kept: it goes by `id()`."""

    found: dict[Any, Any] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    masked: list[Resource] = field(default_factory=list)


class Sight:
    """What one caller sees of a world; answers are kept, for nothing changes."""

    def __init__(self, world: World, caller: Caller, elements: Elements) -> None:
        self.world, self.caller, self._elements = world, caller, elements
        self._rows: dict[tuple[str, str], bool] = {}
        self._oracle: Oracle | None = None
        self._strict: Oracle | None = None

    def sees(self, row: Row, letter: str) -> bool:
        """Tell whether a row as it stands is open by a letter."""
        key = (row.name, letter)
        if key not in self._rows:
            self._rows[key] = may_see(self.world.record, self.caller, row, letter, self.world.now)
        return self._rows[key]

    def sees_version(self, row: Row, number: int, letters: str) -> bool:
        """Tell whether a version is open by each of these letters."""
        world = self.world
        return all(
            may_see_version(world.record, self.caller, row, number, letter, world.now)
            for letter in letters
        )

    def rows(self, letter: str = "s") -> Seen:
        """Return the rows that are open."""
        return frozenset(name_of(row) for row in self.world.record.rows() if self.sees(row, letter))

    def versions(self, letters: str, type: str | None = None) -> frozenset[tuple[str, str, int]]:
        """Return the versions that are open by each of these letters."""
        return frozenset(
            (*name_of(row), number)
            for row in self.world.record.rows()
            if type in (None, row.type)
            for number in range(1, len(row.versions) + 1)
            if self.sees_version(row, number, letters)
        )

    def shown(self, row: Row, letter: str = "s") -> Resource | None:
        """Return what is seen of a row, or None."""
        if not self.sees(row, letter):
            return None
        return shown(self.world.record, self.caller, row, letter, self.world.now)

    def sees_whole(self, row: Row) -> bool:
        """Tell whether a row that is seen is seen with all its elements."""
        seen = self.shown(row)
        return seen is not None and seen.keys() == row.document.keys()

    @property
    def oracle(self) -> Oracle:
        """Return the oracle that knows what this caller sees by search."""
        if self._oracle is None:
            rows = (row for row in self.world.record.rows() if self.sees(row, "s"))
            self._oracle = oracle_of(self.world, self._elements, [self._kept(row) for row in rows])
        return self._oracle

    @property
    def strict(self) -> Oracle:
        """Return the oracle that knows no row of which this caller sees parts only."""
        if self._strict is None:
            rows = [row for row in self.world.record.rows() if self.sees(row, "s")]
            whole = [row for row in rows if self.sees_whole(row)]
            kept = [stamped(self._elements, row) for row in whole]
            self._strict = oracle_of(self.world, self._elements, kept)
        return self._strict

    def _kept(self, row: Row) -> Resource:
        """Return what is seen of a row: the same resource for all who see it whole."""
        seen = self.shown(row)
        assert seen is not None
        if seen.keys() == row.document.keys():
            return stamped(self._elements, row)
        made = _with_meta(seen, row)
        self._elements.masked.append(made)
        return made


def stamped(elements: Elements, row: Row) -> Resource:
    """Return a row with the version and the time that the record gives it."""
    if row.name not in elements.resources:
        elements.resources[row.name] = _with_meta(row.document, row)
    return elements.resources[row.name]


def oracle_of(world: World, elements: Elements, resources: list[Resource]) -> Oracle:
    """Return an oracle of some resources, at the moment of the world."""
    oracle = Oracle(resources, convert=True, now=milliseconds(world.now) / 1000)
    # FHIRPath is slow, and finds the same in a resource whoever asks.
    oracle.asking.population._selected = elements.found
    return oracle


def _with_meta(document: Resource, row: Row) -> Resource:
    at = row.versions[-1].at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = {**document.get("meta", {}), "versionId": str(len(row.versions)), "lastUpdated": at}
    return {**document, "meta": meta}
