"""Date parameters: rows of each type, prefixes by R4's table, refusals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal, select
from sqlalchemy.dialects import sqlite

from ehr.errors import Invalid
from ehr.search.matching import MatchContext
from ehr.search.parameters.date import DateSearch, compare, read_date
from ehr.search.values.intervals import MAX, MIN, parse_interval
from fhir_profiles.search_parameters import for_type
from tests.unit.ehr.search.search_rows import HASHER, of_param, rows_of, sql

BIRTHDATE = for_type("Patient")["birthdate"]
CONTEXT = MatchContext(HASHER, now=lambda: parse_interval("2023-05-11")[0])


def test_period_is_open_where_an_end_is_missing() -> None:
    low, high = parse_interval("2023-05-10")[0], parse_interval("2023-05-12")[1]
    found = []
    for period in (
        {"start": "2023-05-10", "end": "2023-05-12"},
        {"start": "2023-05-10"},
        {"end": "2023-05-12"},
        {"id": "p"},
    ):
        rows = rows_of({"resourceType": "Encounter", "period": period})
        found.append(of_param(rows.date, "Encounter.date"))

    assert found == [[(low, high)], [(low, MAX)], [(MIN, high)], []]


def test_timing_counts_by_its_outer_limits() -> None:
    timing = {
        "event": ["2023-05-12", "2023-05-10T10:00:00Z", None],
        "repeat": {"boundsPeriod": {"start": "2023-05-11", "end": "2023-06"}},
    }
    rows = rows_of({"resourceType": "ServiceRequest", "occurrenceTiming": timing})

    assert of_param(rows.date, "ServiceRequest.occurrence") == [
        (parse_interval("2023-05-10T10:00:00Z")[0], parse_interval("2023-06")[1])
    ]


def test_timing_without_dates_has_no_row() -> None:
    rows = rows_of(
        {"resourceType": "ServiceRequest", "occurrenceTiming": {"repeat": {"frequency": 2}}}
    )

    assert rows.date == []


def test_choice_element_takes_each_of_its_types() -> None:
    for member, value in (
        ("effectiveDateTime", "2023-05-10"),
        ("effectiveInstant", "2023-05-10T10:00:00.123Z"),
        ("effectivePeriod", {"start": "2023", "end": "2023"}),
        ("effectiveTiming", {"event": ["2023-05"]}),
    ):
        rows = rows_of({"resourceType": "Observation", member: value})

        assert len(of_param(rows.date, "Observation.date")) == 1, member


def test_zone_of_the_record_moves_days() -> None:
    patient = {"resourceType": "Patient", "birthDate": "2000-07-01"}

    (utc,), (london,) = (
        of_param(rows_of(patient, zone).date, "Patient.birthdate")
        for zone in ("UTC", "Europe/London")
    )

    assert utc[0] - london[0] == 3_600_000_000


# A stored interval and the search 2023-05-10 (a day): which prefixes match (R4 §3.1.1.4.1).
@pytest.mark.parametrize(
    ("stored", "prefixes"),
    [
        ("2023-05-09", "ne lt le eb"),
        ("2023-05-10", "eq ge le ap"),
        ("2023-05-10T12:00:00Z", "eq ge le ap"),
        ("2023-05-11", "ne gt ge sa ap"),
        ("2023-05", "ne gt ge lt le ap"),
        ("2023", "ne gt ge lt le ap"),
        ("2023-05-09T23:59:59Z", "ne lt le eb"),
        ("2023-05-11T00:00:00Z", "ne gt ge sa ap"),
    ],
)
def test_prefixes_compare_intervals(stored: str, prefixes: str) -> None:
    matching = {
        prefix
        for prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
        if _matches(f"{prefix}2023-05-10", stored)
    }

    # `ap` widens by a tenth of the day from then to now.
    assert matching - {"ap"} == set(prefixes.split()) - {"ap"}


def test_approximately_takes_a_tenth_of_the_distance_to_now() -> None:
    now = MatchContext(HASHER, now=lambda: parse_interval("2023-01-01")[0])
    search = read_date(BIRTHDATE, "ap2013-01-01", now)

    assert _holds(search, "2013-12-01")
    assert _holds(search, "2012-02-01")
    assert not _holds(search, "2014-02-01")
    assert not _holds(search, "2011-11-01")


@pytest.mark.parametrize(
    ("search", "stored", "expected"),
    [
        ("eq1980-05-11T16:32:15.5000001Z", "1980-05-11T16:32:15.5000001Z", True),
        ("eq1980-05-11T16:32:15.5000001Z", "1980-05-11T16:32:15.500Z", False),
        ("eq1980-05-11T16:32:15.500Z", "1980-05-11T16:32:15.5000001Z", False),
        ("lt1980-05-11T16:32:15.5000001Z", "1980-05-11T16:32:15.500Z", True),
        ("gt1980-05-11T16:32:15.4999999Z", "1980-05-11T16:32:15.500Z", True),
        ("gt1980-05-11T16:32:15.500Z", "1980-05-11T16:32:15.5000001Z", True),
        ("gt1980-05-11T16:32:15.5000001Z", "1980-05-11T16:32:15.500Z", False),
    ],
)
def test_digits_below_a_microsecond_count(search: str, stored: str, expected: bool) -> None:
    assert _matches(search, stored) is expected


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2023-13",
        "2023-02-30",
        "xx2023",
        "ge",
        "eqeq2023",
        "2023-05-10T17:30:00 01:00",
        "0000",
        "99999",
        "2023-05-10T25:00:00Z",
        "ge 2023",
        "2023*",
        "2023-05-10T10:00:00.Z",
    ],
)
def test_malformed_date_is_refused_with_name_and_value(value: str) -> None:
    with pytest.raises(Invalid, match="birthdate") as raised:
        sql("Patient", "birthdate", value)

    assert value in str(raised.value)


@pytest.mark.parametrize("modifier", ["exact", "contains", "not", "above", "Patient"])
def test_modifier_of_another_kind_is_refused(modifier: str) -> None:
    with pytest.raises(Invalid, match=":missing"):
        sql("Patient", f"birthdate:{modifier}", "2023")


_DATES = st.one_of(
    st.dates().map(str),
    st.dates().map(lambda day: str(day)[:7]),
    st.dates().map(lambda day: str(day)[:4]),
    st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds") + "Z"),
    st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "+05:30"),
)


@given(_DATES, _DATES)
def test_prefixes_keep_their_laws(search: str, stored: str) -> None:
    found = {
        prefix: _matches(prefix + search, stored)
        for prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
    }

    assert found["ne"] is not found["eq"]
    assert found["ge"] == (found["gt"] or found["eq"])
    assert found["le"] == (found["lt"] or found["eq"])
    assert not (found["sa"] and not found["gt"])
    assert not (found["eb"] and not found["lt"])
    assert found["eq"] or found["gt"] or found["lt"]
    assert not (found["sa"] and found["eb"])


@given(_DATES)
def test_a_date_is_found_by_its_own_text(text: str) -> None:
    assert _matches(text, text)
    assert _matches(f"ge{text}", text)
    assert not _matches(f"ne{text}", text)


def _matches(search: str, stored: str) -> bool:
    return _holds(read_date(BIRTHDATE, search, CONTEXT), stored)


def _holds(search: DateSearch, stored: str) -> bool:
    low, high = parse_interval(stored)
    return bool(_evaluate(compare(search, literal(low), literal(high))))


def _evaluate(condition: Any) -> Any:
    import sqlite3

    text = select(condition).compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )
    connection = sqlite3.connect(":memory:")
    try:
        return connection.execute(str(text)).fetchone()[0]
    finally:
        connection.close()
