"""What comes of the matches: their order, and the resources that come along.

FHIR R4 §3.1.1.5.1 (sorting), §3.1.1.5.4 (`_include` and `_revinclude`).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from tests.spec.oracle import amounts, dates, definitions
from tests.spec.oracle.conditions import Asking, refers, targets
from tests.spec.oracle.elements import Element
from tests.spec.oracle.population import Item
from tests.spec.oracle.texts import element_texts, fold
from tests.spec.oracle.tokens import element_tokens


@total_ordering
@dataclass(frozen=True, eq=True)
class Falling:
    """A value in decreasing order."""

    value: Any

    def __lt__(self, other: "Falling") -> bool:
        return bool(self.value > other.value)


def sort_keys(asking: Asking, item: Item, sort: str) -> tuple[Any, ...]:
    """Return what puts a resource in order; resources without a value come last either way."""
    return tuple(_sort_key(asking, item, code) for code in sort.split(","))


def _sort_key(asking: Asking, item: Item, written: str) -> tuple[Any, ...]:
    parameter = definitions.parameter(item.type, written.removeprefix("-"))
    if parameter is None:
        raise LookupError(written)
    elements = asking.population.elements(item, parameter)
    values = [value for each in elements for value in _sort_values(each, parameter.kind)]
    if not values:
        return (1,)
    # "the item … that comes earliest in the specified sort order"
    if not written.startswith("-"):
        return (0, min(values))
    # R4 leaves this open: a start that is not known, falling. It is with what is missing.
    return (1,) if max(values) == -math.inf else (0, Falling(max(values)))


def _sort_values(element: Element, kind: str) -> list[Any]:
    # R4 leaves this open: what orders a period or a range. Its start.
    if kind == "date":
        span = dates.element_span(element)
        return [span.low] if span else []
    if kind in ("number", "quantity"):
        amount = amounts.element_amount(element)
        return [amount.low] if amount else []
    if kind == "token":
        # What has no case has none here either.
        return [
            fold(each.code) if each.any_case else each.code
            for each in element_tokens(element)
            if each.code is not None
        ]
    if kind == "reference":
        return [element.value["reference"]] if "reference" in element.value else []
    if kind == "string":
        # R4 leaves this open: how much of a text. Links to pages have to carry it.
        return [fold(each)[:200] for each in element_texts(element)]
    return [element.value]


@dataclass(frozen=True)
class Include:
    """`Type:code:Target`; "*" stands for any type, and for any reference parameter."""

    reverse: bool
    iterate: bool
    source: str
    code: str
    target: str | None


def read_include(name: str, value: str) -> Include:
    """Return what an `_include` or `_revinclude` asks for."""
    word, _, modifier = name.partition(":")
    parts = [*value.split(":"), *[None] * 2][:3]
    source, code, target = parts
    return Include(word == "_revinclude", modifier == "iterate", source or "*", code or "*", target)


def included(
    asking: Asking, matches: Sequence[Item], includes: Iterable[Include]
) -> dict[str, Item]:
    """Return the resources that come along with the matches, by name, these left out."""
    wanted = list(includes)
    known = {item.name: item for item in matches}
    edge, first = list(matches), True
    while edge:
        # "The inclusion process can be iterative, if (and only if) the modifier … is included."
        active = [each for each in wanted if first or each.iterate]
        found = {new.name: new for each in active for item in edge for new in _follow(
            asking, each, item
        )}  # fmt: skip
        edge = [item for name, item in found.items() if name not in known]
        known.update(found)
        first = False
    names = {item.name for item in matches}
    return {name: item for name, item in known.items() if name not in names}


def _follow(asking: Asking, include: Include, item: Item) -> Iterator[Item]:
    if include.reverse:
        if include.target in (None, item.type):
            for source in asking.population.items:
                if include.source in ("*", source.type) and any(
                    refers(asking, source, parameter, item)
                    for parameter in _parameters(source.type, include.code)
                ):
                    yield source
        return
    if include.source not in ("*", item.type):
        return
    for parameter in _parameters(item.type, include.code):
        for target in targets(asking, item, parameter):
            if target.container is None and include.target in (None, target.type):
                yield target


def _parameters(type: str, code: str) -> list[definitions.SearchParameter]:
    every = definitions.reference_parameters(type)
    return [each for each in every if code in ("*", each.code)]
