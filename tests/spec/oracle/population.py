"""The resources that are searched, and what in them leads where.

FHIR R4 §2.3.0 (references), §3.1.1.5.5 (contained resources).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.spec.oracle import definitions
from tests.spec.oracle.definitions import SearchParameter
from tests.spec.oracle.elements import Element, Resource, select
from tests.spec.oracle.references import Named, literal, named, type_in


@dataclass(frozen=True)
class Item:
    """A resource, and the one that contains it, where it is contained."""

    resource: Resource
    container: Resource | None = None

    @property
    def type(self) -> str:
        """Return the resource type."""
        return str(self.resource["resourceType"])

    @property
    def name(self) -> str:
        """Return `Type/id`."""
        return f"{self.type}/{self.resource.get('id', '')}"

    def is_same(self, other: "Item") -> bool:
        """Tell whether both are one resource; the id of a contained one says nothing outside."""
        return self.resource is other.resource


class Population:
    """Some resources with their ids, as a server at `base` would hold them."""

    def __init__(self, resources: Iterable[Resource], base: str) -> None:
        self.base = base
        self.items = [Item(each) for each in resources]
        self.by_name = {item.name: item for item in self.items}
        self._of_type = _by_type(self.items)
        self._inside = _by_type(
            Item(each, item.resource)
            for item in self.items
            for each in item.resource.get("contained", ())
        )
        self._selected: dict[tuple[int, str, str], list[Element]] = {}
        self._values: dict[tuple[str, str], list[tuple[Item, Element]]] = {}

    def of_type(self, type: str) -> list[Item]:
        """Return the resources of a type; contained ones are no matches of their own."""
        return self._of_type.get(type, [])

    def inside_of_type(self, type: str) -> list[Item]:
        """Return the contained resources of a type."""
        return self._inside.get(type, [])

    def elements(self, item: Item, parameter: SearchParameter) -> list[Element]:
        """Return the elements that a parameter selects in a resource."""
        key = (id(item.resource), parameter.type, parameter.code)
        if key not in self._selected:
            found = self.select(item, parameter.expression, item.resource)
            self._selected[key] = found
        return self._selected[key]

    def values(self, type: str, parameter: SearchParameter) -> list[tuple[Item, Element]]:
        """Return all elements of a type that a parameter selects, those of contained ones too."""
        key = (type, parameter.code)
        if key not in self._values:
            items = [*self.of_type(type), *self.inside_of_type(type)]
            self._values[key] = [
                (item, each) for item in items for each in self.elements(item, parameter)
            ]
        return self._values[key]

    def select(self, item: Item, expression: str, start: Any) -> list[Element]:
        """Return what an expression selects from a node of this resource."""
        return select(expression, start, lambda value: self._resolve(item, value))

    def named(self, element: Element) -> Named | None:
        """Return what a reference names."""
        return named(element, self.base)

    def targets(self, item: Item, element: Element, types: tuple[str, ...] = ()) -> list[Item]:
        """Return what a reference of `item` leads to; nothing where it is not here.

        Of resources that share a canonical url, those of the `types` are meant (none: any type).
        """
        to = self.named(element)
        found: Item | None = None
        if to is None:
            return []
        if to.contained is not None:
            found = _contained(item, to.contained)
        elif to.local:
            found = self.by_name.get(to.local)
        elif definitions.is_canonical(element.type):
            return [each for each in self._canonical(to) if not types or each.type in types]
        return [found] if found else []

    def _canonical(self, to: Named) -> Iterator[Item]:
        # R4 leaves this open: which of several versions is meant where none is named. Any.
        for item in self.items:
            if to.url and item.resource.get("url") == to.url:
                version = item.resource.get("version", "")
                if to.version is None or version.casefold() == to.version:
                    yield item

    def _resolve(self, item: Item, value: Any) -> Resource | None:
        """Return the target for `resolve()`, or a resource that only has the type it must have.

        Search parameters ask `resolve() is Patient`: what a reference says of its target's type
        counts also where the target is elsewhere.
        """
        text = value.get("reference") if isinstance(value, dict) else value
        if isinstance(text, str):
            to = literal(text, self.base)
            if to.contained is not None:
                inside = _contained(item, to.contained)
                return inside.resource if inside else None
            if type_in(text):
                return {"resourceType": type_in(text)}
        declared = value.get("type") if isinstance(value, dict) else None
        return {"resourceType": declared} if declared else None


def _by_type(items: Iterable[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.type, []).append(item)
    return found


def _contained(item: Item, id: str) -> Item | None:
    container = item.container or item.resource
    if not id and item.container:
        return Item(container)  # "#" alone, from inside (§2.3.0.6)
    for each in container.get("contained", ()):
        if each.get("id") == id:
            return Item(each, container)
    return None
