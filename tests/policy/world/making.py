"""What worlds are made with: chance, times around `NOW`, and the versions that pile up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from tests.policy.naive.record import Fact, Version

Resource = dict[str, Any]
T = TypeVar("T")

NOW = datetime(2025, 6, 15, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Author:
    """Of whose token something came: person and organisation as `Type/id`, or none."""

    person: str | None
    organisation: str | None


def instant(days: float) -> str:
    """Return the moment some days after now, before it where negative."""
    return (NOW + timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")


def day(days: float) -> str:
    """Return the date some days after today."""
    return instant(days)[:10]


def period(start: float | None, end: float | None = None) -> Resource:
    """Return a Period in days from now; None leaves an end open."""
    found: Resource = {} if start is None else {"start": instant(start)}
    return found if end is None else {**found, "end": instant(end)}


def ref(name: str) -> Resource:
    """Return a Reference."""
    return {"reference": name}


def concept(code: str, system: str = "http://snomed.info/sct") -> Resource:
    """Return a CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


@dataclass(slots=True)
class Making:
    """A world while it is made. `versions` and `facts` are what a Record is made of."""

    random: Random
    versions: dict[str, list[Version]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    _count: int = 0

    def chance(self, share: float) -> bool:
        """Return true in this share of cases."""
        return self.random.random() < share

    def one(self, some: Sequence[T]) -> T:
        """Return one of some."""
        return self.random.choice(some)

    def some(self, every: Sequence[T], least: int, most: int) -> list[T]:
        """Return a few of some, each once."""
        count = min(self.random.randint(least, most), len(every))
        return self.random.sample(list(every), count)

    def days(self, first: float, last: float) -> float:
        """Return a number of days between two, to the second."""
        return self.random.randint(int(first * 86400), int(last * 86400)) / 86400

    def add(self, document: Resource, by: Author, *, ago: float = 90, id: str = "") -> str:
        """Add the first version of a resource, sent some days ago, and return its name."""
        self._count += 1
        made = id or f"{document['resourceType'].lower()}-{self._count}"
        document = {"resourceType": document["resourceType"], "id": made, **document}
        name = f"{document['resourceType']}/{made}"
        assert name not in self.versions, name
        self.versions[name] = [_version(document, by, ago)]
        return name

    def change(self, name: str, by: Author, *, ago: float, **elements: Any) -> None:
        """Add a version in which elements are others; None takes one away."""
        before = self.document(name)
        after = {key: value for key, value in {**before, **elements}.items() if value is not None}
        self.versions[name].append(_version(after, by, ago))

    def delete(self, name: str, by: Author, *, ago: float) -> None:
        """Delete a resource."""
        self.versions[name].append(Version(None, _at(ago), by.person, by.organisation))

    def document(self, name: str) -> Resource:
        """Return a resource as it is, or last was."""
        return next(one.document for one in reversed(self.versions[name]) if one.document)


def _version(document: Resource, by: Author, ago: float) -> Version:
    return Version(document, _at(ago), by.person, by.organisation)


def _at(ago: float) -> datetime:
    return NOW - timedelta(days=ago)
