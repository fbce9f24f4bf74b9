"""Quantities: a number with a UCUM or calendar unit (FHIRPath N1 §4.1.9, §6.6)."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .syntax import CALENDAR_UNITS
from .units import Dimensions, reduce_unit

UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Quantity:
    """`unit` is a UCUM code, "1" for none, or the calendar word as it was written."""

    value: Decimal
    unit: str = "1"
    calendar: bool = False

    def __str__(self) -> str:
        unit = self.unit if self.calendar else f"'{self.unit}'"
        return f"{self.value:f} {unit}"


def parse_quantity(text: str) -> Quantity | None:
    """Read `4 'mg'`, `4 days` or `4`; None when it is no quantity."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    value, code, word = Decimal(match.group(1)), match.group(2), match.group(3)
    if code is not None:
        return Quantity(value, code)
    if word is None:
        return Quantity(value)
    return Quantity(value, word, calendar=True) if word in CALENDAR_UNITS else None


def from_fhir(value: Any) -> Quantity | None:
    """Read a FHIR Quantity; None when it has no value or a comparator (§2.9.1.1.3)."""
    if not isinstance(value, dict) or value.get("comparator"):
        return None
    number = value.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return None
    code = value.get("code") if value.get("system") == UCUM else None
    unit = code or value.get("unit") or "1"
    return Quantity(Decimal(str(number)), unit) if isinstance(unit, str) else None


def to_fhir(quantity: Quantity) -> dict[str, Any]:
    """Write a FHIR Quantity."""
    if quantity.calendar:
        code = _CALENDAR_CODES[CALENDAR_UNITS[quantity.unit]]
        return {"value": quantity.value, "unit": quantity.unit, "system": UCUM, "code": code}
    return {"value": quantity.value, "unit": quantity.unit, "system": UCUM, "code": quantity.unit}


def compare(left: Quantity, right: Quantity) -> int | None:
    """Return -1, 0 or 1; None when the units cannot be compared."""
    if left.unit == right.unit and left.calendar == right.calendar:
        return (left.value > right.value) - (left.value < right.value)
    first, second = canonical(left), canonical(right)
    if first is None or second is None or first[1] != second[1]:
        return None
    return (first[0] > second[0]) - (first[0] < second[0])


def canonical(quantity: Quantity, *, loose: bool = False) -> tuple[Decimal, Dimensions] | None:
    """Return value and base units. A calendar year or month equals no definite duration
    unless `loose`, as equivalence has it (N1 §4.1.9 "Time-valued Quantities")."""
    unit, value = quantity.unit, quantity.value
    if quantity.calendar or unit in CALENDAR_UNITS:
        word = CALENDAR_UNITS[unit]
        if word in ("year", "month") and not loose:
            months = value * 12 if word == "year" else value
            return months, (("calendar month", 1),)
        unit = _CALENDAR_CODES[word]
    reduced = reduce_unit(unit)
    return None if reduced is None else (value * reduced[0], reduced[1])


def product(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """Multiply (sign 1) or divide (sign -1); None when a unit is not understood."""
    if sign < 0 and right.value == 0:
        return None
    if left.unit == right.unit and sign < 0 and left.calendar == right.calendar:
        return Quantity(left.value / right.value)
    if right.unit == "1":
        value = left.value * right.value if sign > 0 else left.value / right.value
        return Quantity(value, left.unit, left.calendar)
    if left.unit == "1" and sign > 0:
        return Quantity(left.value * right.value, right.unit, right.calendar)
    first, second = canonical(left, loose=True), canonical(right, loose=True)
    if first is None or second is None:
        return None
    value = first[0] * second[0] if sign > 0 else first[0] / second[0]
    powers = dict(first[1])
    for base, power in second[1]:
        powers[base] = powers.get(base, 0) + power * sign
    return Quantity(value, _code(powers))


def _code(powers: dict[str, int]) -> str:
    parts = [
        f"{base}{'' if power == 1 else power}" for base, power in sorted(powers.items()) if power
    ]
    return ".".join(parts) or "1"


_QUANTITY = re.compile(r"\s*([+-]?\d{1,40}(?:\.\d{1,40})?)\s*(?:'([^']+)'|([a-z]+))?\s*", re.ASCII)
_CALENDAR_CODES = {
    "year": "a", "month": "mo", "week": "wk", "day": "d", "hour": "h", "minute": "min",
    "second": "s", "millisecond": "ms",
}  # fmt: skip
