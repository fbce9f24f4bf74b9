"""Date parameters: partial dates are intervals (R4 search.html §3.1.1.5.2, prefixes §3.1.1.4.1).

A row is the interval of `values/intervals.py`; an open Period reaches to its `MIN` or `MAX`, and
of a Timing the outer limits count. Equality means that the search interval holds the stored one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_

from ehr.search.matching import Choices, MatchContext
from ehr.search.values.escapes import refuse, unescape
from ehr.search.values.intervals import (
    MAX,
    MIN,
    Interval,
    Reader,
    has_finer_digits,
    interval_reader,
    parse_interval,
)
from ehr.store.rows import IndexRows
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter

MODIFIERS = ("missing",)
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

_DATES = frozenset(("date", "dateTime"))
_FINEST = 2  # how wide the interval of a fraction of a second is at most


@dataclass(frozen=True, slots=True)
class DateSearch:
    """A date with its prefix. `finer` marks one that falls between two microseconds."""

    prefix: str
    low: int
    high: int
    finer: bool = False


def sink(leaf: Leaf, timezone: str) -> Sink | None:
    """Return the function that emits rows for elements of this type; None where there is none."""
    read = interval_reader(timezone)
    if leaf.type in _DATES:
        return _date(read)
    if leaf.type == "instant":
        return _instant(read)
    if leaf.type == "Period":
        return _period(read)
    return _timing(read) if leaf.type == "Timing" else None


def _date(read: Reader) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        low, high = read(value)
        for param in params:
            rows.date.append((param, low, high))

    return emit


def _instant(read: Reader) -> Sink:
    # "An interval with an effective width of 0" (R4 §3.1.1.4.7), even where only seconds are said.
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        low, high = read(value)
        if high - low > _FINEST:
            high = low + 1
        for param in params:
            rows.date.append((param, low, high))

    return emit


def _period(read: Reader) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        interval = _limits(value, read)
        if interval:
            for param in params:
                rows.date.append((param, *interval))

    return emit


def _timing(read: Reader) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        parts = [read(event) for event in value.get("event", ()) if event is not None]
        bounds = _limits(value.get("repeat", {}).get("boundsPeriod", {}), read)
        if bounds:
            parts.append(bounds)
        if parts:
            low, high = min(part[0] for part in parts), max(part[1] for part in parts)
            rows.date.extend((param, low, high) for param in params)

    return emit


def _limits(period: dict[str, Any], read: Reader) -> Interval | None:
    start, end = period.get("start"), period.get("end")
    if start is None and end is None:
        return None
    return (MIN if start is None else read(start)[0]), (MAX if end is None else read(end)[1])


def choices(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: MatchContext
) -> Choices:
    """Return the choices of an index row for dates with or without a prefix."""
    wanted = [read_date(parameter, value, context) for value in values]
    return lambda t: [compare(each, t.c.low, t.c.high) for each in wanted]


def read_date(parameter: SearchParameter, value: str, context: MatchContext) -> DateSearch:
    """Return the search that a text such as `ge2023-05` stands for."""
    text = unescape(parameter, value)
    prefix = text[:2] if text[:2] in PREFIXES else ""
    written = text.removeprefix(prefix)
    try:
        low, high = parse_interval(written, context.zone)
    except ValueError as error:
        raise refuse(
            parameter,
            text,
            "a date such as 2023, 2023-05, 2023-05-10 or 2023-05-10T17:30:00+01:00 (in a URL, + is "
            f"%2B), after one of the prefixes {', '.join(PREFIXES)} or none",
        ) from error
    if prefix == "ap":
        # R4's advice: a tenth of the way from now to the date.
        margin = abs(context.now() - low) // 10
        return DateSearch(prefix, low - margin, high + margin)
    if has_finer_digits(written):
        return DateSearch(prefix or "eq", low + 1, low + 1, finer=True)
    return DateSearch(prefix or "eq", low, high)


def compare(
    wanted: DateSearch, low: ColumnElement[int], high: ColumnElement[int]
) -> ColumnElement[bool]:
    """Return how a stored interval [low, high) in microseconds meets the prefix."""
    # That it also begins before the end goes without saying, but not for who plans the statement.
    within = and_(low >= wanted.low, low < wanted.high, high <= wanted.high)
    above, below = high > wanted.high, low < wanted.low
    if wanted.finer:
        # Two such moments of one microsecond count as equal.
        within = and_(low == wanted.low - 1, high == wanted.high + 1)
        above, below = and_(above, not_(within)), and_(below, not_(within))
    match wanted.prefix:
        case "eq":
            return within
        case "ne":
            return ~within
        case "gt":
            return above
        case "lt":
            return below
        case "ge":
            return or_(above, within)
        case "le":
            return or_(below, within)
        case "sa":
            return low >= wanted.high
        case "eb":
            return high <= wanted.low
        case _:
            return and_(low < wanted.high, high > wanted.low)
