"""Dates, date-times and times that may be partial (FHIRPath N1 §4.1.6 to 4.1.8, §6.1, §6.2).

A value keeps the precision it was written with. Comparing values of different precision gives
"unknown" (None) as soon as the answer would depend on what was left out.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND = range(1, 7)


@dataclass(frozen=True, slots=True)
class Temporal:
    """`kind` is Date, DateTime or Time; `parts` are year … second as far as they are known.

    A Time has three leading zeros in place of the date, so that all kinds share positions.
    `offset` is in minutes, None where no offset is given.
    """

    kind: str
    parts: tuple[int | Decimal, ...]
    offset: int | None = None

    @property
    def precision(self) -> int:
        """Return YEAR … SECOND."""
        return len(self.parts)

    def __str__(self) -> str:
        return _text(self)


def parse_date(text: str) -> Temporal | None:
    """Read `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; None when it is no date."""
    match = _DATE.fullmatch(text)
    return _checked("Date", match.group(1, 2, 3), (), None) if match else None


def parse_date_time(text: str) -> Temporal | None:
    """Read a FHIR dateTime or instant, or `YYYY-MM-DDThh` and the like; None when it is none."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    return _checked("DateTime", match.group(1, 2, 3), match.group(4, 5, 6), match.group(7))


def parse_time(text: str) -> Temporal | None:
    """Read `hh`, `hh:mm` or `hh:mm:ss.fff`; None when it is no time."""
    match = _TIME.fullmatch(text)
    return _checked("Time", None, match.group(1, 2, 3), None) if match else None


def parse_literal(text: str) -> Temporal | None:
    """Read the text of a literal without its at sign."""
    if text.startswith("T"):
        return parse_time(text[1:])
    return parse_date_time(text) if "T" in text else parse_date(text)


def compare(left: Temporal, right: Temporal) -> int | None:
    """Return -1, 0 or 1; None when the precision, or a missing offset, leaves it open."""
    if (left.offset is None) != (right.offset is None) and not _both_dates(left, right):
        return _compare_loosely(left, right)
    first, second = utc(left), utc(right)
    for one, other in zip(first.parts, second.parts, strict=False):
        if one != other:
            return -1 if one < other else 1
    return 0 if first.precision == second.precision else None


def comparable(left: Temporal, right: Temporal) -> bool:
    """Tell whether both stand on one axis: a time of day and a date do not."""
    return (left.kind == "Time") == (right.kind == "Time")


def utc(value: Temporal) -> Temporal:
    """Return the same moment with offset zero; unchanged where that means nothing."""
    if not value.offset or value.precision < HOUR:
        return value
    parts = (*value.parts, 0) if value.precision == HOUR else value.parts
    shifted = shift(Temporal(value.kind, parts, value.offset), -value.offset * 60)
    return Temporal(value.kind, shifted.parts, 0) if shifted is not None else value


def shift(value: Temporal, seconds: int | Decimal) -> Temporal | None:
    """Move a value of at least day precision by seconds; None beyond the years 1 to 9999."""
    year, month, day, *clock = value.parts
    total = Decimal(seconds)
    for part, size in zip(clock, (3600, 60, 1), strict=False):
        total += part * size
    days, rest = divmod(total, 86_400)
    if rest < 0:
        days, rest = days - 1, rest + 86_400
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    time = (int(hour), int(minute), second)[: len(clock)]
    if value.kind == "Time":
        return Temporal("Time", (0, 0, 0, *time))
    try:
        moved = date(int(year), int(month), int(day)) + timedelta(days=int(days))
    except (OverflowError, ValueError):
        return None
    return Temporal(value.kind, (moved.year, moved.month, moved.day, *time), value.offset)


def _both_dates(left: Temporal, right: Temporal) -> bool:
    return left.precision <= DAY and right.precision <= DAY


def _compare_loosely(left: Temporal, right: Temporal) -> int | None:
    """One offset is missing: an answer holds only if it holds for every offset on earth."""
    low_left, high_left = _range(left)
    low_right, high_right = _range(right)
    if high_left < low_right:
        return -1
    return 1 if low_left > high_right else None


def _range(value: Temporal) -> tuple[Decimal, Decimal]:
    """Return the first and last second, since year 0, that the value can mean."""
    low = _seconds([*value.parts, *(1, 1, 1, 0, 0, 0)[value.precision :]])
    last = (0, 12, 31, 23, 59, Decimal("59.999999999"))
    high_parts = [*value.parts, *last[value.precision :]]
    if value.precision == MONTH:
        high_parts[2] = days_in_month(int(high_parts[0]), int(high_parts[1]))
    high = _seconds(high_parts)
    if value.offset is None:
        return low - 14 * 3600, high + 12 * 3600
    return low - value.offset * 60, high - value.offset * 60


def _seconds(parts: list[int | Decimal]) -> Decimal:
    year, month, day, hour, minute, second = parts
    days = date(int(year), int(month), int(day)).toordinal()
    return Decimal(days * 86_400 + int(hour) * 3600 + int(minute) * 60) + second


def days_in_month(year: int, month: int) -> int:
    """Return the number of days of a month of the Gregorian calendar."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _checked(
    kind: str, day: tuple[str | None, ...] | None, clock: tuple[str | None, ...], zone: str | None
) -> Temporal | None:
    parts: list[int | Decimal] = [0, 0, 0] if day is None else [int(x) for x in day if x]
    if day is not None and not _is_calendar_date([int(part) for part in parts]):
        return None
    for text, limit in zip(clock, (23, 59, 60), strict=False):
        if text is None:
            break
        number: int | Decimal = Decimal(text) if limit == 60 else int(text)
        if (number >= limit + 1) if limit == 60 else (number > limit):
            return None
        parts.append(number)
    return Temporal(kind, tuple(parts), _offset(zone))


def _is_calendar_date(parts: list[int]) -> bool:
    year, month, day = (*parts, 1, 1)[:3]
    return year > 0 and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def _text(value: Temporal) -> str:
    parts = value.parts
    day = "-".join(f"{part:0{4 if i == 0 else 2}d}" for i, part in enumerate(parts[:3]))
    if value.kind == "Date":
        return day
    clock = ":".join(_two(part) for part in parts[3:])
    if value.kind == "Time":
        return clock
    if not clock:
        return day
    return f"{day}T{clock}{_zone(value.offset)}"


def _two(part: int | Decimal) -> str:
    text = format(part, "f") if isinstance(part, Decimal) else str(part)
    whole, dot, fraction = text.partition(".")
    return whole.zfill(2) + dot + fraction


def _zone(offset: int | None) -> str:
    if offset is None:
        return ""
    if offset == 0:
        return "Z"
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


_DAY = r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?"
_CLOCK = r"(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?"
_DATE = re.compile(_DAY, re.ASCII)
_TIME = re.compile(_CLOCK, re.ASCII)
_DATE_TIME = re.compile(rf"{_DAY}(?:T(?:{_CLOCK}(Z|[+-]\d{{2}}:\d{{2}})?)?)?", re.ASCII)
