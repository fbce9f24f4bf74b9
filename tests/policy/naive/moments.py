"""Dates of FHIR as stretches of time, read by hand (R4 §2.24.0.1); UTC without an offset."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_WRITTEN = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)


def span(text: str) -> tuple[datetime, datetime]:
    """Return [first moment, first one after) of a date, dateTime or instant, else ValueError."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day, time, fraction, _ = found.groups()
    if time is not None:
        first = datetime.fromisoformat(text)
        first = first if first.tzinfo else first.replace(tzinfo=UTC)
        return first, first + timedelta(seconds=10.0 ** -len(fraction[1:]) if fraction else 1)
    first = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    if day is not None:
        return first, first + timedelta(days=1)
    if month is not None:
        return first, (first + timedelta(days=31)).replace(day=1)
    return first, first.replace(year=first.year + 1)


def start_of(period: dict[str, Any] | None) -> datetime | None:
    """Return the first moment of a Period; None where it has no start."""
    return span(period["start"])[0] if period and "start" in period else None


def end_of(period: dict[str, Any] | None) -> datetime | None:
    """Return the first moment after a Period, whose end is part of it; None where it has no end."""
    return span(period["end"])[1] if period and "end" in period else None


def has_begun(period: dict[str, Any] | None, now: datetime) -> bool:
    """Tell whether a Period has begun; without a start it always has."""
    start = start_of(period)
    return start is None or start <= now


def is_within(period: dict[str, Any] | None, now: datetime) -> bool:
    """Tell whether a moment is in a Period; no Period is always."""
    end = end_of(period)
    return has_begun(period, now) and (end is None or now < end)
