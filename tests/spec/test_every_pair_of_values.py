"""Each of many stored numbers, amounts and dates under each of many searches, against the oracle.

Bounds are where implementations err: what R4 calls equal, above or below is asked here for values
that lie on a bound, just beside it, and in other units or precisions (R4 search.html §3.1.1.4.5-7,
§3.1.1.4.11). Every pair is one comparison, on both engines.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.spec.indexed import Indexed, indexed
from tests.spec.oracle import amounts, dates
from tests.spec.oracle.elements import Element

UCUM = "http://unitsofmeasure.org"
NOW = 1_700_000_000  # as tests/spec/indexed.py has it
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

NUMBERS = [
    "0", "0.0", "-0.5", "0.5", "1", "5", "5.0", "4.5", "5.5", "5.35", "5.4", "5.45", "5.44",
    "5.449",
    "5.4499999999999", "5.450", "5.4500000000001", "-5.45", "-5.35", "99.5", "100", "100.00",
    "99.995", "100.005", "100.5", "99.49999999999999", "90", "110", "110.0000001", "50", "150",
    "1e2", "1E-3", "0.001", "0.0005", "0.0015", "0.1", "0.15", "0.25", "0.3", "0.30000000000000004",
    "123456789012345", "123456789012345.5", "1e300",
]  # fmt: skip
SEARCHED = [
    "0", "0.0", "5", "5.4", "5.40", "5.400", "-5.4", "-5", "100", "100.0", "100.00", "1e2", "1.0e2",
    "1E-3", "0.001", "0.1", "0.2", "0.20", "0.3", "123456789012345", "50", "1e300", "+5.4",
]  # fmt: skip

_MG = {"system": UCUM, "code": "mg"}
AMOUNTS: list[tuple[str, dict[str, Any]]] = [
    *(("Quantity", {"value": Decimal(text), **_MG}) for text in NUMBERS),
    *(("Quantity", {"value": Decimal(text) * 1000, "system": UCUM, "code": "ug"})
      for text in ("5.35", "5.4", "5.45", "5.4499999999", "100.5", "99.5", "0.3")),
    *(("Quantity", {"value": Decimal(text), "system": UCUM, "code": "g"})
      for text in ("0.00535", "0.0054", "0.00545", "0.1", "0.0995")),
    *(("Quantity", {"value": Decimal("5.4"), "comparator": each, **_MG})
      for each in ("<", "<=", ">=", ">")),
    *(("Quantity", {"value": Decimal("5.45"), "comparator": each, **_MG})
      for each in ("<", "<=", ">=", ">")),
    ("Quantity", {"value": 5, "unit": "mg"}),
    ("Quantity", {"value": 5, "unit": "kg", "system": UCUM, "code": "mg"}),
    ("Quantity", {"value": 5, "system": "http://other.example", "code": "mg"}),
    ("Quantity", {"value": 5, "system": UCUM}),
    ("Quantity", {"value": 5}),
    ("SampledData", {"origin": {"value": 5, **_MG}, "factor": Decimal("0.05"), "data": "7 8 9"}),
    ("SampledData", {"origin": {"value": 5, **_MG}, "data": "E 0"}),
]  # fmt: skip
UNITS = [
    "",
    f"|{UCUM}|mg",
    f"|{UCUM}|ug",
    f"|{UCUM}|g",
    "||mg",
    f"|{UCUM}|",
    "|http://other.example|mg",
]

DATES: list[tuple[str, Any]] = [
    *(("dateTime", text) for text in (
        "2024", "2024-05", "2024-05-10", "2024-05-31", "2024-05-10T10:30:00Z",
        "2024-05-10T10:30:00.000Z", "2024-05-10T10:30:00.123Z", "2024-05-10T10:30:00.123456Z",
        "2024-05-10T10:30:00.1234567Z", "2024-05-10T23:30:00-01:00", "2024-05-10T00:00:00Z",
        "2024-05-11T00:00:00Z", "2024-05-10T23:59:59Z", "2024-05-10T23:59:59.999Z", "2023-12-31",
        "0001", "9999", "2024-02-29", "2023-11-14T22:13:20Z")),
    *(("Period", {name: text for name, text in (("start", start), ("end", end)) if text})
      for start, end in (
        ("2024-05-10", "2024-05-10"), ("2024-05-10", ""), ("", "2024-05-10"), ("2024", "2024-05"),
        ("2024-05-10T10:30:00Z", "2024-05-10T10:30:00Z"), ("2024-05-09", "2024-05-11"), ("", ""))),
    ("Timing", {"event": ["2024-05-10", "2024-05-12"]}),
    ("Timing", {"repeat": {"boundsPeriod": {"start": "2024-05-10"}}}),
    ("Timing", {"event": ["2024-06-01"],
                "repeat": {"boundsPeriod": {"start": "2024-05-01", "end": "2024-05-31"}}}),
    ("Timing", {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}),
]  # fmt: skip
SEARCHED_DATES = [
    "2024", "2024-05", "2024-05-10", "2024-05-10T10:30Z", "2024-05-10T10:30:00Z",
    "2024-05-10T10:30:00.000Z", "2024-05-10T10:30:00.123Z", "2024-05-10T10:30:00.1234Z",
    "2024-05-10T10:30:00.1234567Z", "2024-05-10T10:30:00.1235Z", "2024-05-10T12:30:00+02:00",
    "2024-05-11", "2024-05-11T00:00:00Z", "2024-05-10T23:59:59.999Z", "0001", "9999", "2024-02-29",
    "2024-05-10T00:00", "2024-05-31",
]  # fmt: skip


@pytest.fixture
def record(database_url: str) -> Iterator[Indexed]:
    with indexed(database_url) as record:
        yield record


def _wrong(
    record: Indexed, field: str, stored: list[tuple[str, Any]], asked: dict[str, set[int]]
) -> dict[str, list[str]]:
    """Return what is found too much or too little for each search, by the values' names."""
    record.load(
        {"resourceType": "Observation", "id": str(n), _member(field, type): value}
        for n, (type, value) in enumerate(stored)
    )
    parameter = "date" if field == "effective" else "value-quantity"
    wrong = {}
    for text, expected in asked.items():
        query = f"Observation?{parameter}={text.replace('+', '%2B')}"
        found = {int(id.partition("/")[2]) for id in record.ids(query)}
        if found != expected:
            wrong[text] = [str(stored[n]) for n in sorted(found ^ expected)]
    return wrong


def _member(field: str, type: str) -> str:
    return f"{field}{type[0].upper()}{type[1:]}"


def _prefixed(texts: Iterable[str]) -> list[str]:
    return [f"{prefix}{text}" for text in texts for prefix in PREFIXES]


def test_amounts_compare_as_r4_says(record: Indexed) -> None:
    targets = [amounts.element_amount(Element(type, value, None)) for type, value in AMOUNTS]
    asked = {
        text: {
            n for n, target in enumerate(targets)
            if target is not None
            and amounts.matches(amounts.read(text), target, convert=UCUM in text)
        }
        for text in (f"{number}{unit}" for number in _prefixed(SEARCHED) for unit in UNITS)
    }  # fmt: skip

    assert _wrong(record, "value", AMOUNTS, asked) == {}
    assert len(asked) * len(AMOUNTS) > 100_000


def test_dates_compare_as_r4_says(record: Indexed) -> None:
    spans = [dates.element_span(Element(type, value, None)) for type, value in DATES]
    asked = {
        text: {
            n for n, span in enumerate(spans)
            if span is not None and dates.matches(text, span, now=NOW)
        }
        for text in _prefixed(SEARCHED_DATES)
    }  # fmt: skip

    assert _wrong(record, "effective", DATES, asked) == {}
