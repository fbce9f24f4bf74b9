"""FHIR dates as intervals: every precision, offset and edge of the calendar."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.search.values.intervals import has_finer_digits, interval_reader, parse_interval
from fhir_profiles.primitives import is_valid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
DAY = 86_400 * SECOND


def microseconds(text: str) -> int:
    """Return an instant by the standard library's arithmetic."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1970", "1970-01-01T00:00:00", "1971-01-01T00:00:00"),
        ("2020-02", "2020-02-01T00:00:00", "2020-03-01T00:00:00"),
        ("2021-12", "2021-12-01T00:00:00", "2022-01-01T00:00:00"),
        ("2020-02-29", "2020-02-29T00:00:00", "2020-03-01T00:00:00"),
        ("1969-12-31", "1969-12-31T00:00:00", "1970-01-01T00:00:00"),
        ("2023-05-10T17:30", "2023-05-10T17:30:00", "2023-05-10T17:31:00"),
        ("2023-05-10T17:30Z", "2023-05-10T17:30:00", "2023-05-10T17:31:00"),
        ("2023-05-10T17:30:05", "2023-05-10T17:30:05", "2023-05-10T17:30:06"),
        ("2023-05-10T17:30:05Z", "2023-05-10T17:30:05", "2023-05-10T17:30:06"),
        ("2023-05-10T17:30:05+01:00", "2023-05-10T16:30:05", "2023-05-10T16:30:06"),
        ("2023-05-10T17:30:05-05:30", "2023-05-10T23:00:05", "2023-05-10T23:00:06"),
        ("2023-01-01T00:00:00+14:00", "2022-12-31T10:00:00", "2022-12-31T10:00:01"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00", "2017-01-01T00:00:01"),
        ("2016-12-31T23:59:60+00:00", "2017-01-01T00:00:00", "2017-01-01T00:00:01"),
        ("2023-05-10T17:30:05.5Z", "2023-05-10T17:30:05.500000", "2023-05-10T17:30:05.500001"),
        ("2023-05-10T17:30:05.500Z", "2023-05-10T17:30:05.500000", "2023-05-10T17:30:05.500001"),
        ("2023-05-10T17:30:05.721+02:00", "2023-05-10T15:30:05.721", "2023-05-10T15:30:05.721001"),
        (
            "2023-05-10T17:30:05.12345678Z",
            "2023-05-10T17:30:05.123456",
            "2023-05-10T17:30:05.123458",
        ),
        ("2023-05-10T17:30:60.721Z", "2023-05-10T17:31:00.721", "2023-05-10T17:31:00.721001"),
        ("2023-05-10T17:30:05.1234Z", "2023-05-10T17:30:05.123400", "2023-05-10T17:30:05.123401"),
        (
            "2023-05-10T17:30:05.1234567Z",
            "2023-05-10T17:30:05.123456",
            "2023-05-10T17:30:05.123458",
        ),
        ("2023-05-10T17:30:05.5000000000Z", "2023-05-10T17:30:05.5", "2023-05-10T17:30:05.500001"),
    ],
)
def test_text_stands_for_its_whole_length(text: str, low: str, high: str) -> None:
    expected = (microseconds(low), microseconds(high))

    assert parse_interval(text) == expected
    assert interval_reader("UTC")(text) == expected


def test_first_and_last_year_fit() -> None:
    assert parse_interval("0001")[1] == microseconds("0002-01-01T00:00:00")
    assert parse_interval("9999")[1] == microseconds("9999-12-31T00:00:00") + DAY
    assert parse_interval("9999-12-31T23:59:59-14:00")[0] == (
        microseconds("9999-12-31T23:59:59") + 14 * 3600 * SECOND
    )
    assert parse_interval("0001-01-01T00:00:00+14:00")[0] == (
        microseconds("0001-01-01T00:00:00") - 14 * 3600 * SECOND
    )


def test_last_day_has_an_end_in_every_zone() -> None:
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London"):
        low, high = parse_interval("9999-12-31", ZoneInfo(name))

        assert high - low == DAY
        assert parse_interval("0001-01-01", ZoneInfo(name))[0] < parse_interval("0002")[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "20",
        "202",
        "20230",
        "0000",
        "2023-",
        "2023-13",
        "2023-00",
        "2023-1",
        "2023-02-29",
        "2023-02-30",
        "2023-05-10T",
        "2023-05-10T17",
        "2023-05-10T24:00",
        "2023-05-10T17:60",
        "2023-05-10T17:30:61Z",
        "2023-05-10T17:30:05.Z",
        "2023-05-10T17:30:05+15:00",
        "2023-05-10T17:30:05+01:60",
        "2023-05-10T17:30:05+0100",
        "2023-05-10T17:30:05 01:00",
        "2023-05-10Z",
        "2023-05-10t17:30:05z",
        "2023-05-10T17:30:05Z ",
        "today",
        "-2023",
        "2023/05/10",
        "٢٠٢٣",
        "2023-05-10T17:30:05.\u0661Z",
        "2023-W19-3T17:30:05Z",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no |must|range|month"):
        parse_interval(text)


def test_zone_of_the_record_counts_where_there_is_no_offset() -> None:
    london = ZoneInfo("Europe/London")

    assert parse_interval("2023-07-01", london)[0] == microseconds("2023-06-30T23:00:00")
    assert parse_interval("2023-01-01", london) == parse_interval("2023-01-01")
    assert parse_interval("2023-07-01T10:00:00", london)[0] == microseconds("2023-07-01T09:00:00")
    assert parse_interval("2023-07-01T10:00:00Z", london)[0] == microseconds("2023-07-01T10:00:00")


def test_day_of_the_clock_change_is_shorter() -> None:
    low, high = parse_interval("2023-03-26", ZoneInfo("Europe/London"))

    assert high - low == 23 * 3600 * SECOND


def test_finer_digits_are_those_below_a_microsecond() -> None:
    assert has_finer_digits("2023-05-10T17:30:05.0000001Z")
    assert not has_finer_digits("2023-05-10T17:30:05.1230000Z")
    assert not has_finer_digits("2023-05-10")


@given(st.dates(), st.integers(0, 2))
def test_shorter_text_holds_the_longer_one(day, cut: int) -> None:
    whole = day.isoformat()
    shorter = (whole[:4], whole[:7], whole)[cut]

    low, high = parse_interval(shorter)

    assert low <= parse_interval(whole)[0] < parse_interval(whole)[1] <= high


@given(st.dates())
def test_days_touch_and_do_not_overlap(day) -> None:
    if day.toordinal() == day.max.toordinal():
        return
    following = day + timedelta(days=1)

    assert parse_interval(day.isoformat())[1] == parse_interval(following.isoformat())[0]


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),
    st.integers(-14 * 60, 14 * 60),
)
def test_offset_moves_the_instant(moment: datetime, minutes: int) -> None:
    sign, distance = "-" if minutes < 0 else "+", abs(minutes)
    offset = f"{sign}{distance // 60:02}:{distance % 60:02}"
    text = moment.isoformat(timespec="microseconds")

    low = parse_interval(text + offset)[0]

    assert low == microseconds(text) - minutes * 60 * SECOND
    assert interval_reader("UTC")(moment.isoformat(timespec="seconds") + offset) == parse_interval(
        moment.isoformat(timespec="seconds") + offset
    )


@given(
    st.from_regex(
        r"\A(000[1-9]|1970|2024|9999)(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])"
        r"(T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.[0-9]{1,12})?"
        r"(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00))?)?)?\Z"
    ).filter(str.isascii)
)
def test_what_the_validator_accepts_can_be_read(text: str) -> None:
    if is_valid("dateTime", text):
        for zone in ("UTC", "Europe/London", "Pacific/Kiritimati"):
            low, high = interval_reader(zone)(text)

            assert low < high
