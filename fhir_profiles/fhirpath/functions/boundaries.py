"""Boundaries and precision of inexact values (FHIRPath 3.0 ballot, in use with R4).

A decimal stands for half a unit around its last digit; a partial date for all it can mean.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from ..environment import Environment
from ..nodes import Collection
from ..quantity import Quantity, canonical
from ..temporal import DAY, HOUR, MINUTE, MONTH, SECOND, YEAR, Temporal, days_in_month
from ..values import EMPTY, boolean, integer, optional, quantity_of
from .signature import values

# Digits of a date-time or time, as precision() counts them → parts.
_DATE_DIGITS = {4: YEAR, 6: MONTH, 8: DAY}
_DATE_TIME_DIGITS = {**_DATE_DIGITS, 10: HOUR, 12: MINUTE, 14: SECOND, 17: SECOND}
_TIME_DIGITS = {2: HOUR, 4: MINUTE, 6: SECOND, 9: SECOND}


def low_boundary(items: Collection, env: Environment, digits: Collection = EMPTY) -> Collection:
    """Return the least value that the input can stand for."""
    return _boundary(items, digits, low=True)


def high_boundary(items: Collection, env: Environment, digits: Collection = EMPTY) -> Collection:
    """Return the greatest value that the input can stand for."""
    return _boundary(items, digits, low=False)


def precision(items: Collection, env: Environment) -> Collection:
    """Count the digits an input was written with."""
    value = _one(items)
    if isinstance(value, Temporal):
        size = (4, 6, 8, 10, 12, 14)[value.precision - 1] - (8 if value.kind == "Time" else 0)
        second = value.parts[-1]
        return [size + 3 if isinstance(second, Decimal) and _places(second) else size]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return [_places(Decimal(value))]
    return EMPTY


def comparable(items: Collection, env: Environment, other: Collection) -> Collection:
    """Tell whether two quantities have units of one dimension."""
    one, two = _one(items), _one(other)
    if not isinstance(one, Quantity) or not isinstance(two, Quantity):
        return EMPTY
    first, second = canonical(one), canonical(two)
    if first is None or second is None:
        return boolean(one.unit == two.unit)
    return boolean(first[1] == second[1])


def _one(items: Collection) -> Any:
    return quantity_of(items[0]) if len(items) == 1 else None


def _boundary(items: Collection, digits: Collection, *, low: bool) -> Collection:
    value, wanted = _one(items), integer(digits, "A precision")
    if isinstance(value, Temporal):
        return optional(_of_temporal(value, wanted, low))
    if isinstance(value, Quantity):
        found = _of_number(value.value, wanted, low)
        return [] if found is None else [Quantity(found, value.unit, value.calendar)]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return optional(_of_number(Decimal(value), wanted, low))
    return EMPTY


def _of_number(value: Decimal, digits: int | None, low: bool) -> Decimal | None:
    places = 8 if digits is None else digits
    if not 0 <= places <= 31 or abs(value.adjusted()) > 28:
        return None
    half = Decimal(5).scaleb(-_places(value) - 1)
    outward = low == (value < 0)
    edge = _WIDE.add(abs(value), half) if outward else _WIDE.subtract(abs(value), half)
    # The reference implementation rounds away from zero and cuts toward it: keep its results.
    mode = ROUND_HALF_UP if outward else ROUND_DOWN
    found = edge.quantize(Decimal(1).scaleb(-places), mode, _WIDE)
    return -found if value < 0 else found


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _of_temporal(value: Temporal, digits: int | None, low: bool) -> Temporal | None:
    known = {"Date": _DATE_DIGITS, "DateTime": _DATE_TIME_DIGITS, "Time": _TIME_DIGITS}[value.kind]
    size = known.get(max(known) if digits is None else digits)
    if size is None:
        return None
    parts = [*value.parts]
    # An hour without minutes is read as hh:00, as the reference implementation does.
    if value.precision == HOUR:
        parts.append(0)
    parts += ((0, 1, 1, 0, 0, Decimal("0.000")) if low else (0, 12, 31, 23, 59, _LAST))[
        len(parts) :
    ]
    if not low and value.precision < DAY:
        parts[2] = days_in_month(int(parts[0]), int(parts[1]))
    if len(value.parts) == SECOND:
        parts[5] = _millisecond(Decimal(value.parts[5]), low)
    offset = value.offset
    if value.kind == "DateTime" and size > DAY and offset is None:
        # Anywhere on earth: +14:00 is the earliest moment, -12:00 the latest.
        offset = 14 * 60 if low else -12 * 60
    kind = value.kind if size > DAY or value.kind != "DateTime" else "Date"
    return Temporal(kind, tuple(parts[:size]), offset if size > DAY else None)


def _millisecond(second: Decimal, low: bool) -> Decimal:
    missing = 3 - _places(second)
    if missing <= 0:
        return second
    fill = Decimal(0) if low else (Decimal(10) ** missing - 1).scaleb(-3)
    return (second + fill).quantize(Decimal("0.001"))


_LAST = Decimal("59.999")
_WIDE = Context(prec=80)

FUNCTIONS = {
    "lowBoundary": values(low_boundary, 0, 1), "highBoundary": values(high_boundary, 0, 1),
    "precision": values(precision), "comparable": values(comparable, 1),
}  # fmt: skip
