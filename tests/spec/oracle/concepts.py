"""Value sets and hierarchies of codes, over those that are among the resources.

FHIR R4 §3.1.1.4.10 (`:in`, `:not-in`, `:above`, `:below`). Enumerated codes, whole systems and
value sets by reference; anything else is for a terminology service.
"""

from collections.abc import Iterator
from typing import Any

from tests.spec.oracle.elements import Element, Resource
from tests.spec.oracle.population import Population
from tests.spec.oracle.texts import split, unescape
from tests.spec.oracle.tokens import Token

Concept = tuple[str | None, str | None]


def in_value_set(population: Population, wanted: str, token: Token) -> bool:
    """Tell whether a coding is in the value set that a url, or `ValueSet/id`, names."""
    found = _definition(population, "ValueSet", unescape(wanted))
    if found is None:
        raise LookupError(wanted)
    return _member(population, found, token)


def _member(population: Population, value_set: Resource, token: Token) -> bool:
    compose = value_set.get("compose", {})
    included = any(_selects(population, part, token) for part in compose.get("include", ()))
    return included and not any(
        _selects(population, part, token) for part in compose.get("exclude", ())
    )


def _selects(population: Population, part: dict[str, Any], token: Token) -> bool:
    for url in part.get("valueSet", ()):
        other = _definition(population, "ValueSet", url)
        if other is None or not _member(population, other, token):
            return False
    if "system" not in part:
        return True
    if token.system != part["system"]:
        return False
    if "concept" in part:
        return any(each["code"] == token.code for each in part["concept"])
    system = _definition(population, "CodeSystem", part["system"])
    return system is not None and any(code == token.code for code, _ in _codes(system))


def related(population: Population, modifier: str, wanted: str, token: Token) -> bool:
    """Tell whether a coding is `:below` (or `:above`) the concept asked for, itself included."""
    if modifier == "below" and "/" in wanted and "|" not in wanted:
        # §3.1.1.4.10.1: the base part of a mime type.
        return (token.code or "").partition(";")[0].strip() == unescape(wanted)
    parts = [unescape(part) for part in split(wanted, "|")]
    code = parts[-1]
    if len(parts) == 2 and token.system != parts[0]:
        return False
    system = _definition(population, "CodeSystem", token.system or "")
    paths = dict(_codes(system)) if system else {}
    if modifier == "below":
        return token.code == code or code in paths.get(token.code or "", ())
    return token.code == code or token.code in paths.get(code, ())


def _codes(
    system: dict[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each code of a system with those above it."""
    for concept in system.get("concept", ()):
        yield concept["code"], above
        yield from _codes(concept, (*above, concept["code"]))


def _definition(population: Population, type: str, url: str) -> Resource | None:
    """Return a definition: "literal … or logical"."""
    element = Element("canonical", url, url)
    named = population.named(element)
    for item in population.of_type(type):
        if named and named.local == item.name:
            return item.resource
        of_version = named is not None and named.version in (None, item.resource.get("version"))
        if named and named.url and item.resource.get("url") == named.url and of_version:
            return item.resource
    return None
