"""Code systems: their codes, and which concept subsumes which.

R4 §4.8.3 (subsumption) and §4.8.10 (`hierarchyMeaning`). A concept is below those it is nested in,
where the nesting says is-a, and below those that its properties `parent` and `subsumedBy` name.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ehr.terminology.source import Source, definition, unknown
from fhir_profiles.value_sets import edition, parents, system_codes

_UPWARD = ("parent", "subsumedBy")
Parents = Mapping[str, frozenset[str]]
Outcome = Literal["equivalent", "subsumes", "subsumed-by", "not-subsumed"]


@dataclass(frozen=True, slots=True)
class System:
    """The codes of a code system, each with those right above it."""

    codes: frozenset[str]
    parents: Parents


def codes_of(source: Source, system: str, why: str) -> frozenset[str]:
    """Return all codes of a code system. Raises Invalid naming it, where they are not known."""
    return _system(source, system, why).codes


def above(source: Source, system: str, code: str) -> frozenset[str]:
    """Return the codes that subsume a code, itself included."""
    known = _system(source, system)
    return _closure(code, known.parents)


def below(source: Source, system: str, code: str) -> frozenset[str]:
    """Return the codes that a code subsumes, itself included."""
    known = _system(source, system)
    children: dict[str, set[str]] = {}
    for child, some in known.parents.items():
        for parent in some:
            children.setdefault(parent, set()).add(child)
    return _closure(code, children)


def subsumes(source: Source, system: str, one: str, other: str) -> Outcome:
    """Return how two codes of a system stand to each other, as `$subsumes` says it."""
    if one == other:
        return "equivalent"
    known = _system(source, system)
    if one in _closure(other, known.parents):
        return "subsumes"
    return "subsumed-by" if other in _closure(one, known.parents) else "not-subsumed"


def _system(source: Source, url: str, why: str = "") -> System:
    found = definition(source, "CodeSystem", url)
    if found is not None:
        if found.get("content") != "complete":
            raise unknown("Code system", url, f"{why} is not stored whole (`content`).".lstrip())
        return _stored(found)
    bare, _, version = url.partition("|")
    codes = system_codes(bare)
    if codes is None or (version and version != edition(bare)):
        raise unknown(
            "Code system",
            url,
            f"{why} is neither in the record nor part of R4. Store it as a CodeSystem with all its "
            "codes.".lstrip(),
        )
    return System(codes, parents(bare))


def _stored(resource: dict[str, Any]) -> System:
    nested = resource.get("hierarchyMeaning", "is-a") == "is-a"
    found: dict[str, set[str]] = {}
    for concept, parent in _concepts(resource.get("concept", ())):
        stated = {
            each["valueCode"]
            for each in concept.get("property", ())
            if each.get("code") in _UPWARD and "valueCode" in each
        }
        known = found.setdefault(concept["code"], set())
        known |= stated | ({parent} if nested and parent is not None else set())
    return System(frozenset(found), {code: frozenset(some) for code, some in found.items() if some})


def _concepts(
    concepts: Iterable[dict[str, Any]], parent: str | None = None
) -> Iterator[tuple[dict[str, Any], str | None]]:
    for concept in concepts:
        yield concept, parent
        yield from _concepts(concept.get("concept", ()), concept["code"])


def _closure(code: str, steps: Mapping[str, Iterable[str]]) -> frozenset[str]:
    seen, waiting = {code}, [code]
    while waiting:
        for other in steps.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return frozenset(seen)
