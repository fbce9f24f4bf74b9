"""Number parameters, and the arithmetic that quantities share (R4 search.html §3.1.1.5.1).

Rows live in the quantity table with no unit. Equality is to the precision given: 5.4 stands for
5.35 up to, not including, 5.45; with any other prefix the number is exact.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf, nextafter
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, or_

from ehr.search.matching import Choices, MatchContext
from ehr.search.values.escapes import refuse, unescape
from ehr.store.rows import IndexRows
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter

MODIFIERS = ("missing",)
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

_NUMERIC = frozenset(("decimal", "integer", "positiveInt", "unsignedInt"))
_NUMBER = re.compile(
    r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?([+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class NumberSearch:
    """A number with its prefix; `low` and `high` bound what equality accepts, high excluded."""

    prefix: str
    value: float
    low: float
    high: float


def sink(leaf: Leaf) -> Sink | None:
    """Return the function that emits a row for a number; None for other types."""
    if leaf.type in _NUMERIC:
        return _number
    return _range if leaf.type == "Range" else None


def _number(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    number = as_float(value)
    rows.quantity.extend((param, number, number, 0, 0, 0) for param in params)


def _range(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    bounds = range_bounds(value)
    if bounds:
        rows.quantity.extend((param, *bounds, 0, 0, 0) for param in params)


def as_float(value: Decimal | int) -> float:
    """Return the nearest double; infinite where the number is beyond all."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def range_bounds(value: dict[str, Any]) -> tuple[float, float] | None:
    """Return the ends of a Range, infinite where open; None when it has neither."""
    low, high = value.get("low", {}).get("value"), value.get("high", {}).get("value")
    if low is None and high is None:
        return None
    return (-inf if low is None else as_float(low)), (inf if high is None else as_float(high))


def compared(value: float, comparator: str | None) -> tuple[float, float]:
    """Return the closed range that a stored number with `<`, `<=`, `>=` or `>` stands for."""
    if comparator == "<":
        return -inf, nextafter(value, -inf)
    if comparator == "<=":
        return -inf, value
    if comparator == ">=":
        return value, inf
    return (nextafter(value, inf), inf) if comparator == ">" else (value, value)


def choices(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: MatchContext
) -> Choices:
    """Return the choices of an index row for numbers with or without a prefix."""
    wanted = [read_number(parameter, unescape(parameter, value)) for value in values]
    return lambda t: [compare(t, each) for each in wanted]


def read_number(parameter: SearchParameter, text: str) -> NumberSearch:
    """Return the search that a text such as `ge5.40` or `2e-3` stands for."""
    match = _NUMBER.fullmatch(text)
    if not match:
        raise refuse(
            parameter,
            text,
            f"a number such as 5.4 or 1e-3, after one of the prefixes "
            f"{', '.join(PREFIXES)} or none",
        )
    number = Decimal(match[2])
    half = Decimal((0, (5,), int(number.as_tuple().exponent) - 1))
    # An integer with an exponent, 1e2, has one significant digit: 50 up to 150.
    low, high = number - half, number + half
    if match[1] == "ap":
        # R4 leaves it to servers and recommends a tenth of the value.
        half = max(half, abs(number) / 10)
        low, high = number - half, number + half
    return NumberSearch(match[1] or "eq", float(number), float(low), float(high))


def compare(t: FromClause, wanted: NumberSearch) -> ColumnElement[bool]:
    """Return how a stored closed range [low, high] meets the prefix (R4 §3.1.1.4.1)."""
    low, high, value = t.c.low, t.c.high, wanted.value
    match wanted.prefix:
        case "eq":
            return and_(low >= wanted.low, high < wanted.high)
        case "ne":
            return or_(low < wanted.low, high >= wanted.high)
        case "gt":
            return high > value
        case "lt":
            return low < value
        case "ge":
            return high >= value
        case "le":
            return low <= value
        case "sa":
            return low > value
        case "eb":
            return high < value
        case _:
            return and_(low <= wanted.high, high >= wanted.low)
