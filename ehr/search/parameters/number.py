"""Number parameters, and the arithmetic that quantities share (R4 search.html §3.1.1.5.1).

Rows live in the quantity table with no unit. Equality is to the precision given: 5.4 stands for
5.35 up to, not including, 5.45; with any other prefix the number is exact. Bounds are exact until
they become doubles, once, as stored numbers do: what is equal stays equal, and numbers of up to 15
digits that differ stay apart.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import inf, nextafter
from typing import Any

from sqlalchemy import ColumnElement, and_, not_

from ehr.search.matching import Choices, MatchContext
from ehr.search.values.escapes import refuse, unescape
from ehr.store.rows import IndexRows
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter
from fhir_profiles.ucum import Number

MODIFIERS = ("missing",)
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

_NUMERIC = frozenset(("decimal", "integer", "positiveInt", "unsignedInt"))
_NUMBER = re.compile(
    r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?([+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class NumberSearch:
    """A number with its prefix, and what equality accepts beside it: `reach` on either side."""

    prefix: str
    number: Fraction
    reach: Fraction

    @property
    def value(self) -> float:
        """Return the number as stored numbers are."""
        return as_float(self.number)

    @property
    def low(self) -> float:
        """Return the least number that is equal."""
        return as_float(self.number - self.reach)

    @property
    def high(self) -> float:
        """Return the first number that is too high to be equal."""
        return as_float(self.number + self.reach)


def sink(leaf: Leaf) -> Sink | None:
    """Return the function that emits a row for a number; None for other types."""
    if leaf.type in _NUMERIC:
        return _number
    return _range if leaf.type == "Range" else None


def _number(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    number = as_float(value)
    rows.quantity.extend((param, number, number, 0, 0, 0, 0, 0.0, 0.0) for param in params)


def _range(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    bounds = range_ends(value, as_float)
    if bounds != (-inf, inf):
        rows.quantity.extend((param, *bounds, 0, 0, 0, 0, 0.0, 0.0) for param in params)


def as_float(value: Number) -> float:
    """Return the nearest double; infinite where the number is beyond all."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def range_ends(value: dict[str, Any], double: Callable[[Number], float]) -> tuple[float, float]:
    """Return the ends of a Range as doubles, infinite where open."""
    low, high = value.get("low", {}).get("value"), value.get("high", {}).get("value")
    return (-inf if low is None else double(low)), (inf if high is None else double(high))


def compared(value: float, comparator: str | None) -> tuple[float, float]:
    """Return the closed range that a stored number with `<`, `<=`, `>=` or `>` stands for."""
    if comparator is None:
        return value, value
    if comparator == "<":
        return -inf, nextafter(value, -inf)
    if comparator == "<=":
        return -inf, value
    if comparator == ">=":
        return value, inf
    return nextafter(value, inf), inf


def choices(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: MatchContext
) -> Choices:
    """Return the choices of an index row for numbers with or without a prefix."""
    wanted = [read_number(parameter, unescape(parameter, value)) for value in values]
    return lambda t: [compare(each, t.c.low, t.c.high) for each in wanted]


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
    # "The number of significant digits of the implicit range is the number of digits specified":
    # an integer with an exponent, 1e2, has one, so 50 up to 150. (The example beside that sentence,
    # 95 up to 105, has one and a half.)
    reach = Fraction(10) ** int(number.as_tuple().exponent) / 2
    exact = Fraction(number)
    if match[1] == "ap":
        # "the recommended value for the approximation is 10% of the stated value" (§3.1.1.4.1)
        reach = max(reach, abs(exact) / 10)
    return NumberSearch(match[1] or "eq", exact, reach)


def compare(
    wanted: NumberSearch,
    low: ColumnElement[float],
    high: ColumnElement[float],
    convert: Callable[[Fraction], float] = as_float,
) -> ColumnElement[bool]:
    """Return how a stored closed range meets the prefix (R4 §3.1.1.4.1), in the stored unit.

    `convert` gives numbers of the search as the doubles that stand in the columns.
    """
    match wanted.prefix:
        case "eq" | "ne":
            first, beyond = _reached(wanted, convert)
            # The second goes without saying, but not for who plans the statement.
            within = and_(low >= first, low < beyond, high < beyond)
            return within if wanted.prefix == "eq" else not_(within)
        case "ap":
            first, last = _reached(wanted, convert)
            return and_(low <= last, high >= first)
    value = convert(wanted.number)
    match wanted.prefix:
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
        case _:
            return high < value


def _reached(wanted: NumberSearch, convert: Callable[[Fraction], float]) -> tuple[float, float]:
    return convert(wanted.number - wanted.reach), convert(wanted.number + wanted.reach)
