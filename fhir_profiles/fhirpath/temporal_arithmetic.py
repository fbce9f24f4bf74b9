"""Adding time to dates and times (FHIRPath N1 §6.6.7 and §6.6.8 "Date/Time Arithmetic")."""

from decimal import ROUND_DOWN, Decimal

from .errors import FhirPathError
from .quantity import Quantity
from .temporal import DAY, MONTH, SECOND, YEAR, Temporal, days_in_month, shift

# Calendar words, and the UCUM codes that N1 lets stand for them: definite durations only.
_UNITS = {
    "year": "year", "month": "month", "week": "week", "day": "day", "hour": "hour",
    "minute": "minute", "second": "second", "millisecond": "millisecond",
    "wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond",
}  # fmt: skip
_SECONDS = {
    "week": Decimal(604_800), "day": Decimal(86_400), "hour": Decimal(3600),
    "minute": Decimal(60), "second": Decimal(1), "millisecond": Decimal("0.001"),
}  # fmt: skip


def add(value: Temporal, amount: Quantity, sign: int = 1) -> Temporal | None:
    """Add a duration; None when the result leaves the calendar."""
    unit = _unit(amount)
    number = amount.value * sign
    if unit in ("second", "millisecond"):
        seconds = number * _SECONDS[unit]
    else:
        number = number.to_integral_value(ROUND_DOWN)
        seconds = number * _SECONDS.get(unit, Decimal(0))
    if abs(number) > 1_000_000_000_000:
        return None
    if value.kind == "Time":
        if unit in ("year", "month", "week", "day"):
            raise FhirPathError(f"A time of day has no {unit} to add to")
        return _add_to_clock(value, seconds)
    if unit in ("year", "month"):
        return _add_months(value, int(number) * (12 if unit == "year" else 1))
    return _add_seconds(value, seconds)


def _unit(amount: Quantity) -> str:
    name = amount.unit.removesuffix("s") if amount.unit not in ("s", "ms") else amount.unit
    unit = _UNITS.get(name)
    if unit is None:
        known = "year(s) to millisecond(s), 'wk', 'd', 'h', 'min', 's' or 'ms'"
        raise FhirPathError(f"'{amount.unit}' cannot be added to a date or time; use {known}")
    return unit


def _add_months(value: Temporal, months: int) -> Temporal | None:
    if value.precision == YEAR:
        months = int(Decimal(months) / 12) * 12
    year, month = int(value.parts[0]), int(value.parts[1]) if value.precision >= MONTH else 1
    total = year * 12 + month - 1 + months
    year, month = total // 12, total % 12 + 1
    if not 1 <= year <= 9999:
        return None
    rest = list(value.parts[2:])
    if rest:
        rest[0] = min(int(rest[0]), days_in_month(year, month))
    return Temporal(value.kind, (year, month, *rest)[: value.precision], value.offset)


def _add_seconds(value: Temporal, seconds: Decimal) -> Temporal | None:
    """Units smaller than the precision are first cut down to it (§6.6.7)."""
    if value.precision == YEAR:
        return _add_months(value, int(seconds / (365 * 86_400)) * 12)
    if value.precision == MONTH:
        return _add_months(value, int(seconds / (30 * 86_400)))
    size = (86_400, 3600, 60)[value.precision - DAY] if value.precision < SECOND else 0
    if size:
        seconds = Decimal(int(seconds / size) * size)
    return shift(value, seconds)


def _add_to_clock(value: Temporal, seconds: Decimal) -> Temporal | None:
    if value.precision < SECOND:
        size = (3600, 60)[value.precision - DAY - 1]
        seconds = Decimal(int(seconds / size) * size)
    return shift(value, seconds)
