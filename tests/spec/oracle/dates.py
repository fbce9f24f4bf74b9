"""Spans of time, exact: what a date, a Period or a Timing covers, and how R4 compares them.

FHIR R4 §3.1.1.4.5 (prefixes) and §3.1.1.4.7 (date).
"""

import math
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from fractions import Fraction
from typing import Any

from tests.spec.oracle.elements import Element

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T(\d\d):(\d\d)(.*))?", re.ASCII)
_REST = re.compile(r"(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DAY = 86_400

Moment = Fraction | float


@dataclass(frozen=True)
class Span:
    """From `low` up to `high` in seconds since 1970; `closed` spans hold `high` itself."""

    low: Moment
    high: Moment
    closed: bool = False


def span(text: str, zone: tzinfo = UTC) -> Span:
    """Return what a date of any precision covers; ValueError where it is none.

    "2000 is equivalent to an interval of [2000-01-01T00:00, 2000-12-31T23:59]" (§3.1.1.4.7). A
    fraction of a second is a moment.
    """
    found = _DATE.fullmatch(text)
    if not found or (found[4] and not found[3]):
        raise ValueError(text)
    first, last = _days(int(found[1]), found[2], found[3])
    if found[4] is None:
        return Span(_midnight(first, zone), _midnight(last + 1, zone))
    rest = _REST.fullmatch(found[6])
    if not rest or int(found[4]) > 23 or int(found[5]) > 59 or int(rest[1] or 0) > 60:
        raise ValueError(text)
    clock = int(found[4]) * 3600 + int(found[5]) * 60 + int(rest[1] or 0)
    low = Fraction(first * _DAY + clock) - _ahead(rest[3], first, clock, zone)
    if rest[2]:
        moment = low + Fraction("0" + rest[2])
        return Span(moment, moment, closed=True)
    return Span(low, low + (1 if rest[1] else 60))


def _days(year: int, month: str | None, day: str | None) -> tuple[int, int]:
    """Return the first and the last day, counted from 1970."""
    first = date(year, int(month or 1), int(day or 1))
    last = first
    if month is None:
        last = date(year, 12, 31)
    elif day is None:
        last = first.replace(day=monthrange(year, int(month))[1])
    epoch = date(1970, 1, 1).toordinal()
    return first.toordinal() - epoch, last.toordinal() - epoch


def _midnight(day: int, zone: tzinfo) -> Fraction:
    return Fraction(day * _DAY) - _ahead(None, day, 0, zone)


def _ahead(offset: str | None, day: int, clock: int, zone: tzinfo) -> int:
    if offset == "Z" or (offset is None and zone is UTC):
        return 0
    if offset is None:
        local = datetime.fromordinal(date(1970, 1, 1).toordinal() + day).replace(tzinfo=zone)
        moved = local.replace(hour=clock // 3600, minute=clock % 3600 // 60).utcoffset()
        return int(moved.total_seconds()) if moved else 0
    minutes = int(offset[1:3]) * 60 + int(offset[4:6])
    return minutes * (-60 if offset[0] == "-" else 60)


def element_span(element: Element, zone: tzinfo = UTC) -> Span | None:
    """Return what an element covers; None where it says nothing of time."""
    value = element.value
    if element.type == "instant":
        # "An instant is considered … an interval with an effective width of 0" (§3.1.1.4.7).
        at = span(value, zone).low
        return Span(at, at, closed=True)
    if element.type in ("date", "dateTime"):
        return span(value, zone)
    if element.type == "Period":
        return _period(value, zone)
    return _timing(value, zone) if element.type == "Timing" else None


def _period(value: dict[str, Any], zone: tzinfo) -> Span | None:
    # "A missing lower boundary is 'less than' any actual date" (§3.1.1.4.7). R4 leaves this open:
    # what a Period without either covers; here nothing.
    start, end = value.get("start"), value.get("end")
    if start is None and end is None:
        return None
    last = span(end, zone) if end else Span(math.inf, math.inf)
    return Span(span(start, zone).low if start else -math.inf, last.high, last.closed)


def _timing(value: dict[str, Any], zone: tzinfo) -> Span | None:
    # "The specified scheduling details are ignored and only the outer limits matter."
    parts = [span(event, zone) for event in value.get("event", ()) if event is not None]
    bounds = _period(value.get("repeat", {}).get("boundsPeriod", {}), zone)
    if bounds:
        parts.append(bounds)
    if not parts:
        return None
    last = max(parts, key=lambda each: (each.high, each.closed))
    return Span(min(each.low for each in parts), last.high, last.closed)


def matches(text: str, target: Span, *, now: float, zone: tzinfo = UTC) -> bool:
    """Tell whether a span meets a search value such as `ge2023-05`."""
    prefix = text[:2] if text[:2] in PREFIXES else "eq"
    return compare(prefix, span(text.removeprefix(prefix), zone), target, now=now)


def compare(prefix: str, wanted: Span, target: Span, *, now: float) -> bool:
    """Compare by a prefix, in the words of the table of §3.1.1.4.5."""
    if prefix in ("eq", "ne"):
        return _contains(wanted, target) is (prefix == "eq")
    if prefix in ("gt", "ge"):
        return _reaches_above(wanted, target) or (prefix == "ge" and _contains(wanted, target))
    if prefix in ("lt", "le"):
        return target.low < wanted.low or (prefix == "le" and _contains(wanted, target))
    if prefix == "sa":
        return target.low > wanted.high or (target.low == wanted.high and not wanted.closed)
    if prefix == "eb":
        return target.high < wanted.low or (target.high == wanted.low and not target.closed)
    # "10% of the gap between now and the date".
    margin = abs(Fraction(now) - Fraction(wanted.low)) / 10
    return _overlap(Span(wanted.low - margin, wanted.high + margin, wanted.closed), target)


def _contains(wanted: Span, target: Span) -> bool:
    """Tell whether "the range of the search value fully contains the range of the target value"."""
    ends_within = target.high < wanted.high or (
        target.high == wanted.high and (wanted.closed or not target.closed)
    )
    return wanted.low <= target.low and ends_within


def _reaches_above(wanted: Span, target: Span) -> bool:
    # R4 leaves this open: whether "the range above" starts within a day or after it. After it, as
    # otherwise `gt` would differ from `ge` in nothing.
    return target.high > wanted.high or (
        target.high == wanted.high and target.closed and not wanted.closed
    )


def _overlap(wanted: Span, target: Span) -> bool:
    starts = target.low < wanted.high or (target.low == wanted.high and wanted.closed)
    return starts and (wanted.low < target.high or (wanted.low == target.high and target.closed))
