"""Value sets worked out to codes: filters, imports and exclusions are resolved beforehand.

FHIR R4 §4.9.4 (composition rules). A value set is a list of [system, codes]; `null` codes stand for
the whole code system, which is written once. What needs a terminology we lack is left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_profiles.condense.definitions_package import Package, Resource

Codes = dict[str, set[str]]


class _NotListable(Exception):
    """The value set needs a code system, filter or value set that the package does not hold."""


def condense_value_sets(package: Package) -> dict[str, Any]:
    """Return `systems` (codes of each), `parents`, `value_sets` (parts of each) and `editions`."""
    systems = {
        each["url"]: dict(_concepts(each.get("concept", ()), ()))
        for each in package.of_type("CodeSystem")
        if each["content"] == "complete"
    }
    parents = {url: _parents(_find(package, "CodeSystem", url)) for url in systems}
    for url, concepts in systems.items():
        systems[url] = {code: tuple(sorted(_closure(code, parents[url]))) for code in concepts}
    sets = {each["url"]: each for each in package.of_type("ValueSet")}
    listed = {}
    for url in sets:
        try:
            listed[url] = _compose(url, sets, systems)
        except _NotListable:
            continue
    value_sets = {url: _parts(content, systems) for url, content in listed.items()}
    return {
        "systems": {url: list(codes) for url, codes in systems.items()},
        "parents": {
            url: {code: sorted(above) for code, above in known.items() if above}
            for url, known in parents.items()
            if any(known.values())
        },
        "value_sets": value_sets,
        "editions": {
            each["url"]: each["version"]
            for type in ("CodeSystem", "ValueSet")
            for each in package.of_type(type)
            if each["url"] in (systems if type == "CodeSystem" else value_sets)
            and each.get("version", package.version) != package.version
        },
    }


def _find(package: Package, resource_type: str, url: str) -> Resource:
    return next(each for each in package.of_type(resource_type) if each["url"] == url)


def _concepts(concepts: Any, ancestors: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each code with its ancestors, the nested order kept."""
    for concept in concepts:
        yield concept["code"], ancestors
        yield from _concepts(concept.get("concept", ()), (*ancestors, concept["code"]))


def _parents(system: Resource) -> dict[str, set[str]]:
    """Return each code with what it is nested in, and the parents that its properties state."""
    parents: dict[str, set[str]] = {}
    for code, above in _concepts(system.get("concept", ()), ()):
        parents.setdefault(code, set()).update(above[-1:])
    for concept in _flat(system.get("concept", ())):
        for stated in concept.get("property", ()):
            if stated["code"] in ("subsumedBy", "parent") and "valueCode" in stated:
                parents[concept["code"]].add(stated["valueCode"])
    return parents


def _flat(concepts: Any) -> Iterator[Resource]:
    for concept in concepts:
        yield concept
        yield from _flat(concept.get("concept", ()))


def _closure(code: str, parents: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(parents.get(code, ()))
    while waiting:
        parent = waiting.pop()
        if parent not in seen:
            seen.add(parent)
            waiting += parents.get(parent, ())
    return seen


def _compose(
    url: str,
    sets: Mapping[str, Resource],
    systems: Mapping[str, Mapping[str, tuple[str, ...]]],
    above: tuple[str, ...] = (),
) -> Codes:
    url = url.partition("|")[0]
    if url not in sets or url in above or "compose" not in sets[url]:
        raise _NotListable(url)
    content: Codes = {}
    for part in sets[url]["compose"]["include"]:
        for system, codes in _included(part, sets, systems, (*above, url)).items():
            content.setdefault(system, set()).update(codes)
    for part in sets[url]["compose"].get("exclude", ()):
        for system, codes in _included(part, sets, systems, (*above, url)).items():
            content[system] = content.get(system, set()) - codes
    return content


def _included(
    part: Resource,
    sets: Mapping[str, Resource],
    systems: Mapping[str, Mapping[str, tuple[str, ...]]],
    above: tuple[str, ...],
) -> Codes:
    """Return one include or exclude: its system's codes and its value sets, intersected."""
    contents = [_compose(each, sets, systems, above) for each in part.get("valueSet", ())]
    if "system" in part:
        contents.append({part["system"]: _selected(part, systems)})
    first, *others = contents
    return {
        system: codes.intersection(*(each.get(system, set()) for each in others))
        for system, codes in first.items()
    }


def _selected(part: Resource, systems: Mapping[str, Mapping[str, tuple[str, ...]]]) -> set[str]:
    if "concept" in part:
        return {each["code"] for each in part["concept"]}
    if part["system"] not in systems:
        raise _NotListable(part["system"])
    system = systems[part["system"]]
    selected = set(system)
    for each in part.get("filter", ()):
        selected &= _filtered(each, system)
    return selected


def _filtered(rule: Resource, system: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the codes a hierarchy filter keeps; other filters need a terminology server."""
    value = rule["value"]
    below = {code for code, ancestors in system.items() if value in ancestors}
    kept = {"is-a": below | {value}, "descendent-of": below}
    kept["is-not-a"] = set(system) - kept["is-a"]
    if rule["property"] != "concept" or rule["op"] not in kept or value not in system:
        raise _NotListable(value)
    return kept[rule["op"]]


def _parts(
    content: Codes, systems: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> list[tuple[str, list[str] | None]]:
    return [
        (system, None if codes == set(systems.get(system, ())) else sorted(codes))
        for system, codes in sorted(content.items())
        if codes
    ]
