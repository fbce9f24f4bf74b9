"""Search expressions taken apart: the union parts of one type, and what references they reach.

Knows the small part of FHIRPath that the R4 parameters use; `fhir_profiles.fhirpath` evaluates.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_LEADING_TYPE = re.compile(r"\(*([A-Z]\w*)")
_RESOLVE_IS = re.compile(r"\.where\(resolve\(\) is (\w+)\)")
_CAST = re.compile(r"\bas (\w+)|\.(?:as|ofType)\((\w+)\)")
_STEPS = re.compile(r"[A-Z]\w*(?:\.[a-z]\w*(?!\())*")


def parts_for(expression: str, name: str) -> list[str]:
    """Return the union parts about a type, those about any resource rewritten to name it."""
    kept = []
    for part in top_level_parts(expression):
        leading = _LEADING_TYPE.match(part)
        if leading is None:
            kept.append(f"{name}.{part}")
        elif leading[1] == name:
            kept.append(part)
        elif leading[1] in ("Resource", "DomainResource"):
            kept.append(part.replace(leading[1], name, 1))
    return kept


def top_level_parts(expression: str) -> list[str]:
    """Split at each `|` that stands outside parentheses and quotes."""
    return [part for part in map(str.strip, _split(expression)) if part]


def _split(expression: str) -> Iterator[str]:
    depth, start, quoted = 0, 0, False
    for position, character in enumerate(expression):
        if character == "'":
            quoted = not quoted
        if quoted:
            continue
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            yield expression[start:position]
            start = position + 1
    yield expression[start:]


def element_targets(expression: str, types: Mapping[str, Any]) -> set[str] | None:
    """Return the types that the reference elements of an expression allow; None means any."""
    targets: set[str] = set()
    for part in top_level_parts(expression):
        narrowed = _RESOLVE_IS.search(part)
        possible = {narrowed[1]} if narrowed else _targets_of_part(part, types)
        if possible is None:
            return None
        targets |= possible
    return targets


def _targets_of_part(part: str, types: Mapping[str, Any]) -> set[str] | None:
    steps = _STEPS.search(part)
    cast = _CAST.search(part)
    if steps is None:
        return None
    root, _, below = steps[0].partition(".")
    wanted = (cast[1] or cast[2]) if cast else ""
    declared = _element_types(types, root, below.split("."))
    found = [targets for code, targets in declared if not wanted or code == wanted]
    if not found or not all(found):
        return None
    return {each for targets in found for each in targets}


def _element_types(types: Mapping[str, Any], root: str, steps: list[str]) -> list[Any]:
    """Return [type, targets] of the element that steps lead to, through data types if need be."""
    rows = {row[0].removesuffix("[x]"): row for row in types[root][4]}
    for length in range(len(steps), 0, -1):
        row = rows.get(".".join(steps[:length]))
        if row is None:
            continue
        rest = steps[length:]
        if not rest:
            return [each for each in row[3] if each[0] in ("Reference", "canonical", "uri")]
        inner = [each[0] for each in row[3] if each[0] in types]
        return [found for code in inner for found in _element_types(types, code, rest)]
    return []
