"""The codes of a value set: enumerated, whole code systems, other value sets, exclusions.

R4 §4.9.4 (composition rules). Filters wait for the terminology service.
"""

from collections.abc import Iterable
from typing import Any

from ehr.errors import TooCostly
from ehr.terminology.hierarchies import codes_of
from ehr.terminology.source import Concept, Source, definition, unknown
from fhir_profiles.value_sets import coded, edition

MAXIMUM_CODES = 100_000
_DEEPEST = 10


def expand(source: Source, value_set: str) -> frozenset[Concept]:
    """Return every (system, code) of a value set. Raises Invalid naming what can't be listed."""
    return _expand(source, value_set, ())


def _expand(source: Source, url: str, above: tuple[str, ...]) -> frozenset[Concept]:
    if url in above or len(above) > _DEEPEST:
        raise unknown("Value set", url, "includes itself, or others too deeply to be listed.")
    found = definition(source, "ValueSet", url)
    if found is None:
        return _packaged(url)
    compose = found.get("compose", {})
    if not compose.get("include"):
        raise unknown("Value set", url, "has no `compose.include`, so its codes are not known.")
    concepts = _union(source, compose["include"], url, above)
    if len(concepts) > MAXIMUM_CODES:
        raise TooCostly(f"Value set {url} has more than {MAXIMUM_CODES} codes. Use a smaller one.")
    return concepts - _union(source, compose.get("exclude", ()), url, above)


def _packaged(url: str) -> frozenset[Concept]:
    bare, _, version = url.partition("|")
    concepts = coded(bare)
    if concepts is None:
        raise unknown(
            "Value set",
            url,
            "is neither in the record nor one of R4 whose codes can be listed. Store it as a "
            "ValueSet that enumerates its codes.",
        )
    if version and version != edition(bare):
        raise unknown("Value set", url, f"is known in version {edition(bare)} only.")
    return concepts


def _union(
    source: Source, parts: Iterable[dict[str, Any]], url: str, above: tuple[str, ...]
) -> frozenset[Concept]:
    return frozenset().union(*(_selected(source, part, url, above) for part in parts))


def _selected(
    source: Source, part: dict[str, Any], url: str, above: tuple[str, ...]
) -> frozenset[Concept]:
    """Return what one include or exclude selects: its system's codes that are in its value sets."""
    if part.get("filter"):
        raise unknown("Value set", url, "selects codes by a filter, which is not supported yet.")
    sets = [_expand(source, each, (*above, url)) for each in part.get("valueSet", ())]
    if "system" in part:
        system = part["system"]
        if "concept" in part:
            codes = frozenset(each["code"] for each in part["concept"])
        else:
            named = f"{system}|{part['version']}" if "version" in part else system
            codes = codes_of(source, named, f"of value set {url}")
        sets.append(frozenset((system, code) for code in codes))
    return frozenset.intersection(*sets) if sets else frozenset()
