"""A whole search over resources in memory, from the text of the request to the answer.

FHIR R4 §3.1.1. Of the parameters that shape the answer, `_sort` and includes are followed; those
that only cut it (`_count`, `_summary` …) are not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import unquote_plus

from tests.spec.oracle import conditions, definitions, filters, results
from tests.spec.oracle.conditions import Asking
from tests.spec.oracle.elements import Resource
from tests.spec.oracle.population import Item, Population

BASE = "http://localhost/fhir"
_SHAPE = {
    "_sort", "_count", "_summary", "_elements", "_total", "_format", "_pretty", "_contained",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """The names of the matches and of what came along; `keys` put each match in order."""

    matches: frozenset[str]
    included: frozenset[str]
    keys: dict[str, tuple[Any, ...]]

    def is_in_order(self, names: list[str]) -> bool:
        """Tell whether these are the matches, each once, in an order that `_sort` allows."""
        keys = [self.keys[name] for name in names if name in self.keys]
        right = all(one <= other for one, other in pairwise(keys))
        return right and len(names) == len(set(names)) and set(names) == self.matches


class Oracle:
    """Searches some resources, as a server at `base` that holds them should."""

    def __init__(self, resources: Iterable[Resource], *, base: str = BASE, **choices: Any) -> None:
        self.asking = Asking(Population(resources, base), **choices)

    def search(self, request: str) -> Answer:
        """Return the answer to `Type?query`, `Type/id/Type?query` or `?query`."""
        path, _, query = request.partition("?")
        pairs = [_decoded(pair) for pair in query.split("&") if pair]
        matches = [item for item in self._context(path, pairs) if self._meets(item, pairs)]
        sort = next((value for name, value in pairs if name == "_sort"), None)
        includes = [
            results.read_include(name, value)
            for name, value in pairs
            if name.partition(":")[0] in ("_include", "_revinclude")
        ]
        return Answer(
            frozenset(item.name for item in matches),
            frozenset(results.included(self.asking, matches, includes)),
            {
                item.name: results.sort_keys(self.asking, item, sort) if sort else ()
                for item in matches
            },
        )

    def _context(self, path: str, pairs: list[tuple[str, str]]) -> list[Item]:
        """Return the resources that are searched: of a type, of several, of a compartment."""
        parts = [part for part in path.split("/") if part and part != "_search"]
        population = self.asking.population
        if len(parts) == 3:
            compartment, id, type = parts
            focus = population.by_name.get(f"{compartment}/{id}")
            items = population.items if type == "*" else population.of_type(type)
            return [item for item in items if focus and self._is_under(focus, item)]
        types = parts or [
            type for name, value in pairs if name == "_type" for type in value.split(",")
        ]
        return [item for item in population.items if not types or item.type in types]

    def _is_under(self, focus: Item, item: Item) -> bool:
        for code in definitions.compartment_codes(focus.type, item.type):
            parameter = definitions.parameter(item.type, code)
            if code == "{def}" and item.name == focus.name:
                return True
            if parameter and conditions.refers(self.asking, item, parameter, focus):
                return True
        return False

    def _meets(self, item: Item, pairs: list[tuple[str, str]]) -> bool:
        """Tell whether a resource meets every parameter that selects ("an AND parameter")."""
        return all(
            filters.read(value)(self.asking, item)
            if name == "_filter"
            else conditions.holds(self.asking, item, name, value)
            for name, value in pairs
            if _selects(name)
        )


def _selects(name: str) -> bool:
    return name not in _SHAPE | {"_type"} and not name.startswith(("_include", "_revinclude"))


def _decoded(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return unquote_plus(name), unquote_plus(value)
