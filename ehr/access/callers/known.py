"""What is known of a caller: who they are at a moment, as of a state of the directory."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from auth.principal import Called
from auth.tokens import InForce
from ehr.access.relationships.emergencies import Emergency

Row = tuple[Any, ...]  # type, id and version
Rows = tuple[Row, ...]


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

    def at(self, now: int, emergencies: Iterable[Emergency]) -> Called:
        """Return who somebody is at a moment, in ms."""
        there = [place for place in self.places if place.from_ <= now < place.to]
        names = [*self.person.names, *self.organisation.names]
        rids = [*self.person.rids]
        for place in there:
            names += place.names
            rids += place.rids
        at = self.organisation.rids
        every = tuple(dict.fromkeys(names)), tuple(dict.fromkeys((*rids, *at)))
        opened = sorted(one.patient_key for one in emergencies if one.from_ <= now < one.to)
        return Called(*every, at[0] if at else 0, now, tuple(opened))


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
