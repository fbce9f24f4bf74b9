"""Made definitions: value sets, forms, maps, and the canonicals that name them."""

from collections.abc import Callable
from typing import Any

from tests.spec.oracle.elements import Resource
from tests.spec.oracle.made_values import (
    HIERARCHY,
    HIERARCHY_CODES,
    SYSTEMS,
    URLS,
    VALUE_SETS,
    Maker,
)


def terminology() -> list[Resource]:
    """Return a code system with a hierarchy, and value sets that enumerate, import and exclude."""
    a, ab, a1, b, big = ({"code": code} for code in HIERARCHY_CODES)
    system = {
        "resourceType": "CodeSystem",
        "id": "made",
        "url": HIERARCHY,
        "status": "active",
        "content": "complete",
        "hierarchyMeaning": "is-a",
        "concept": [{**a, "concept": [{**ab, "concept": [a1]}, big]}, b],
    }
    composed = (
        {
            "include": [
                {"system": HIERARCHY, "concept": [a, b]},
                {"system": SYSTEMS[0], "concept": [b]},
            ]
        },
        {"include": [{"system": HIERARCHY}], "exclude": [{"system": HIERARCHY, "concept": [ab]}]},
        {"include": [{"valueSet": [VALUE_SETS[0]]}]},
        {"include": [{"system": HIERARCHY, "valueSet": [VALUE_SETS[0]]}]},
    )
    sets = [
        {
            "resourceType": "ValueSet",
            "id": f"made-{n}",
            "url": VALUE_SETS[n],
            "status": "active",
            "compose": compose,
        }
        for n, compose in enumerate(composed)
    ]
    return [system, *sets]


class Definitions(Maker):
    """Makes definitions."""

    def _whole_coding(self) -> Resource:
        return {"system": self.pick(SYSTEMS), "code": self.pick(("t1", "t2", "T1"))}

    def _url(self) -> str:
        return self.pick(URLS)

    def _canonical(self) -> str:
        return self._url() + self.pick(("", "", "|1.0", "|2", "|BETA"))

    def _valueset(self) -> Resource:
        return {
            "url": self.maybe(self._url, 0.9),
            "version": self.maybe(lambda: self.pick(("1.0", "2", "Beta", "BETA"))),
            "name": self.maybe(self.word),
            "title": self.maybe(self.word),
            "status": self.pick(("active", "draft")),
            "date": self.maybe(self.moment),
            "publisher": self.maybe(self.word),
            "compose": self.maybe(
                lambda: {"include": [{"system": self.pick(SYSTEMS), "concept": [{"code": "a"}]}]}
            ),
        }

    def _questionnaire(self) -> Resource:
        return {
            "url": self.maybe(self._url, 0.9),
            "version": self.maybe(lambda: self.pick(("1.0", "2", "Beta"))),
            "title": self.maybe(self.word),
            "status": "active",
            "effectivePeriod": self.maybe(self.period),
            "useContext": self.maybe(lambda: self.several(self._context)),
        }

    def _context(self) -> Resource:
        made: dict[str, Callable[[], Any]] = {
            "valueCodeableConcept": self.concept,
            "valueQuantity": lambda: self.quantity(compared=False),
            "valueRange": self.range,
        }
        kind = self.pick(tuple(made))
        return {"code": self._whole_coding(), kind: made[kind]()}

    def _conceptmap(self) -> Resource:
        kind = self.pick(("Uri", "Canonical", "Canonical"))
        made = self._canonical if kind == "Canonical" else self._url
        return {
            "url": self.maybe(self._url),
            "version": self.maybe(lambda: self.pick(("1.0", "2"))),
            "status": "active",
            f"source{kind}": self.maybe(made, 0.8),
            f"target{kind}": self.maybe(made, 0.8),
        }
