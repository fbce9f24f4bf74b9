"""What is known of a caller: who they are at a moment, as of a state of the directory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from auth.principal import Called
from auth.tokens import InForce
from ehr.access.relationships.emergencies import Emergency

Row = tuple[Any, ...]  # type, id and version
Rows = tuple[Row, ...]
Named = tuple[tuple[str, ...], tuple[int, ...]]  # names and rows


@dataclass(frozen=True, slots=True)
class Place:
    """A PractitionerRole at the caller's organisation: what it adds while its period lasts."""

    from_: int
    to: int
    names: tuple[str, ...]
    rids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory says of somebody, as of these rows; not `is_whole` where a service that is
    named there is not there yet."""

    rows: Rows
    person: Place
    organisation: Place
    places: tuple[Place, ...]
    is_whole: bool
    _named: dict[tuple[int, ...], Named] = field(default_factory=dict, repr=False)

    def at(self, now: int, emergencies: Iterable[Emergency]) -> Called:
        """Return who somebody is at a moment, in ms."""
        there = tuple(n for n, one in enumerate(self.places) if one.from_ <= now < one.to)
        named = self._named.get(there)
        if named is None:
            named = self._named[there] = self._all(there)
        at = self.organisation.rids
        opened = sorted(one.patient_key for one in emergencies if one.from_ <= now < one.to)
        return Called(*named, at[0] if at else 0, now, tuple(opened))

    def _all(self, there: tuple[int, ...]) -> Named:
        places = [self.places[n] for n in there]
        every = (self.person, self.organisation, *places)
        names = dict.fromkeys(name for place in every for name in place.names)
        rids = (*self.person.rids, *(rid for one in places for rid in one.rids))
        return tuple(names), tuple(dict.fromkeys((*rids, *self.organisation.rids)))


@dataclass(frozen=True, slots=True)
class Standing:
    """Who somebody is for as long as the directory has this mark; `version` is of their row."""

    mark: str
    version: int
    known: Known
    emergencies: tuple[Emergency, ...]

    def at(self, now: int) -> InForce:
        """Return what is said of them and their token at a moment, in ms."""
        return InForce(self.version, self.known.at(now, self.emergencies))
