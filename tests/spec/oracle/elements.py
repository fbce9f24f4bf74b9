"""The elements that an expression selects in a resource, each with its FHIR type.

FHIRPath by `fhirpathpy` with its own R4 tables. It forgets types in unions and takes `as` for one
element only, so unions are taken apart here and `as` is written as `ofType`, as R4 means it in
search parameters (§3.1.1.4.2: "matches if any of the paths contain matching content").
"""

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import fhirpathpy
    from fhirpathpy.engine.nodes import ResourceNode
    from fhirpathpy.models import models
    from fhirpathpy.parser import parse

Resource = dict[str, Any]
# From a Reference (or canonical) to a resource, or to one that only says its type.
Resolve = Callable[[Any], Resource | None]

_AS = re.compile(r"\(?((?:[\w.]|\([^()]*\))+) as (\w+)\)?")
_AS_FUNCTION = re.compile(r"\.as\((\w+)\)")


@dataclass(frozen=True)
class Element:
    """One value that an expression selects; `node` is where further expressions start from."""

    type: str
    value: Any
    node: Any


def select(expression: str, start: Any, resolve: Resolve) -> list[Element]:
    """Return the elements with a value that the expression selects, from a resource or a node."""
    options = {
        "returnRawData": True,
        "userInvocationTable": {"resolve": {"fn": _resolving(resolve), "arity": {0: []}}},
    }
    found = []
    for part in _parts(expression):
        result = fhirpathpy.apply_parsed_path(start, _parsed(part), {}, models["r4"], options)
        found += [_element(each) for each in result]
    return [each for each in found if each.value is not None]


def _resolving(resolve: Resolve) -> Callable[[list[Any]], list[Any]]:
    def run(references: list[Any]) -> list[Any]:
        targets = [resolve(each) for each in references]
        return [ResourceNode(each, each["resourceType"]) for each in targets if each is not None]

    return run


def _element(found: Any) -> Element:
    if isinstance(found, ResourceNode):
        return Element(found.path or "", found.data, found)
    return Element("boolean" if isinstance(found, bool) else "", found, found)


@cache
def _parsed(expression: str) -> Any:
    return parse(expression)


@cache
def _parts(expression: str) -> tuple[str, ...]:
    return tuple(_of_type(part.strip()) for part in _split_union(expression))


def _of_type(part: str) -> str:
    part = _AS_FUNCTION.sub(r".ofType(\1)", part)
    # Some composites are published with the name that FHIRPath has for FHIR's dateTime.
    return _AS.sub(r"\1.ofType(\2)", part).replace("(DateTime)", "(dateTime)")


def _split_union(expression: str) -> Iterator[str]:
    depth, start, quoted = 0, 0, False
    for at, character in enumerate(expression):
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if character == "|" and depth == 0:
                yield expression[start:at]
                start = at + 1
    yield expression[start:]
