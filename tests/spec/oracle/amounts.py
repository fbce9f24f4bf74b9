"""Numbers and quantities, exact: ranges of values, and how R4 compares them.

FHIR R4 §3.1.1.4.6 (number), §3.1.1.4.11 (quantity), §3.1.1.4.5 (prefixes).
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from tests.spec.oracle.elements import Element
from tests.spec.oracle.texts import split, unescape
from tests.spec.oracle.units import canonical

_NUMBER = re.compile(
    r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)", re.ASCII
)
_QUANTITIES = (
    "Quantity",
    "Age",
    "Distance",
    "Duration",
    "Count",
    "SimpleQuantity",
    "MoneyQuantity",
)
_NUMBERS = ("decimal", "integer", "positiveInt", "unsignedInt")
UCUM = "http://unitsofmeasure.org"
_CURRENCIES = "urn:iso:std:iso:4217"

Bound = Fraction | float


@dataclass(frozen=True)
class Amount:
    """All values from `low` to `high`, these included unless open; with the unit, if it has one."""

    low: Bound
    high: Bound
    open_low: bool = False
    open_high: bool = False
    system: str | None = None
    code: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Wanted:
    """A search value: its prefix, the exact number, and the unit asked for."""

    prefix: str
    text: str
    system: str = ""
    code: str = ""


def element_amount(element: Element) -> Amount | None:
    """Return the values that an element stands for; None where it has none."""
    value = element.value
    if element.type in _NUMBERS:
        number = Fraction(value)
        return Amount(number, number)
    if element.type in _QUANTITIES:
        return _quantity(value)
    if element.type == "Range":
        return _range(value)
    if element.type == "Money" and "value" in value:
        number, currency = Fraction(value["value"]), value.get("currency")
        system = _CURRENCIES if currency else None
        return Amount(number, number, system=system, code=currency, unit=currency)
    return _sampled(value) if element.type == "SampledData" else None


def _quantity(value: dict[str, Any]) -> Amount | None:
    if "value" not in value:
        return None
    number, units = Fraction(value["value"]), _units(value)
    comparator = value.get("comparator", "")
    if comparator.startswith("<"):
        return Amount(-math.inf, number, open_high=comparator == "<", **units)
    if comparator.startswith(">"):
        return Amount(number, math.inf, open_low=comparator == ">", **units)
    return Amount(number, number, **units)


def _units(value: dict[str, Any]) -> dict[str, Any]:
    return {name: value.get(name) for name in ("system", "code", "unit")}


def _range(value: dict[str, Any]) -> Amount | None:
    low, high = value.get("low", {}).get("value"), value.get("high", {}).get("value")
    if low is None and high is None:
        return None
    return Amount(
        -math.inf if low is None else Fraction(low),
        math.inf if high is None else Fraction(high),
        **_units(value.get("low") or value["high"]),
    )


def _sampled(value: dict[str, Any]) -> Amount | None:
    origin, factor = value.get("origin", {}), Fraction(value.get("factor", 1))
    points = []
    for point in value.get("data", "").split():
        try:
            points.append(Fraction(origin.get("value", 0)) + factor * Fraction(Decimal(point)))
        except InvalidOperation:  # "E", "L" and "U" are no numbers
            continue
    return Amount(min(points), max(points), **_units(origin)) if points else None


def read(text: str) -> Wanted:
    """Return the search that `ge5.40` or `5.4|http://unitsofmeasure.org|mg` stands for."""
    parts = [unescape(part) for part in split(text, "|")]
    found = _NUMBER.fullmatch(parts[0])
    if not found or len(parts) not in (1, 3):
        raise ValueError(text)
    return Wanted(found[1] or "eq", found[2], *parts[1:])


def matches(wanted: Wanted, target: Amount, *, convert: bool) -> bool:
    """Tell whether an amount meets a search value. `convert`: units of UCUM are converted."""
    number, half = _number(wanted.text)
    if convert and wanted.system == target.system == UCUM and wanted.code and target.code:
        ours, theirs = canonical(wanted.code), canonical(target.code)
        if ours and theirs and ours[1] == theirs[1]:
            factor = theirs[0] / ours[0]
            scaled = Amount(
                target.low * factor, target.high * factor, target.open_low, target.open_high
            )
            return _compare(wanted.prefix, number, half, scaled)
    return _has_unit(wanted, target) and _compare(wanted.prefix, number, half, target)


def _has_unit(wanted: Wanted, target: Amount) -> bool:
    if wanted.system:
        return wanted.system == target.system and wanted.code in ("", target.code)
    # "either the code (code) or the stated human unit (unit) are 'mg'"
    return not wanted.code or wanted.code in (target.code, target.unit)


def _number(text: str) -> tuple[Fraction, Fraction]:
    """Return the number and half a unit of its last significant digit."""
    # "The number of significant digits … is the number of digits specified" (§3.1.1.4.6), so 1e2
    # has one: 50 up to 150. The example beside it says 95 up to 105, which is one and a half.
    digits = Decimal(text)
    return Fraction(digits), Fraction(10) ** int(digits.as_tuple().exponent) / 2


def _compare(prefix: str, number: Fraction, half: Fraction, target: Amount) -> bool:
    low, high = target.low, target.high
    if prefix in ("eq", "ne"):
        # "values in the range [99.5 ... 100.5)"
        ends_within = high < number + half or (high == number + half and target.open_high)
        return (number - half <= low and ends_within) is (prefix == "eq")
    # "the implicit precision of the number is ignored" (§3.1.1.4.6)
    if prefix == "gt":
        return high > number
    if prefix == "lt":
        return low < number
    if prefix == "ge":
        return high > number or (high == number and not target.open_high)
    if prefix == "le":
        return low < number or (low == number and not target.open_low)
    if prefix == "sa":
        return low > number or (low == number and target.open_low)
    if prefix == "eb":
        return high < number or (high == number and target.open_high)
    # "The recommended value for the approximation is 10% of the stated value".
    margin = max(half, abs(number) / 10)
    return low <= number + margin and high >= number - margin
