"""The bytes of an event: one form for each, and back; texts that both databases take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.audit.event import (
    COLUMNS,
    AuditRow,
    Event,
    Place,
    Values,
    canonical,
    event_of,
    numbered,
    of_request,
    parse,
)
from ehr.store.tables import audit_event
from tests.given_events import any_event, event_row

_some = st.lists(any_event, max_size=3)


@given(_some)
def test_events_come_back_from_their_bytes(events: list[Values]) -> None:
    assert parse(canonical(events)) == events


@given(_some, _some)
def test_no_two_lists_of_events_have_the_same_bytes(one: list[Values], other: list[Values]) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


@given(_some, st.data())
def test_cut_off_bytes_are_refused(events: list[Values], data: st.DataObject) -> None:
    whole = canonical(events)
    with pytest.raises(ValueError, match=r"cut off|version"):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize("data", [b"\x02\x90", b"\x01\x91\x90", b"\x01\x90\x90", b"\x01\xa1x"])
def test_what_is_no_list_of_events_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"damaged|version"):
        parse(data)


def test_the_bytes_of_an_event_stay_as_they_are() -> None:
    """Seals of years ago are verified by them."""
    [row] = numbered([AuditRow(kind=3, at=5, agent="é", items=b"\xff")], Place(-1, 2, 300))

    assert canonical([row]).hex() == (
        "0191dc0019ff02cd012c0503000000c0c0c0a2c3a9" + "c0" * 10 + "c401ffc0c0"
    )


def test_a_row_has_the_columns_of_the_table() -> None:
    names = tuple(column.name for column in audit_event.columns)

    assert names == ("writer", "epoch", "n", *COLUMNS)


def test_an_event_comes_back_from_its_row() -> None:
    place, row = Place(4, 1, 9), event_row(query="x", items=b"1")

    assert event_of(numbered([row], place)[0]) == Event(place, row)


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [("a\0b", "a\ufffdb"), ("\ud800", "?"), ("é" * 300, "é" * 255 + "…"), ("é" * 256, "é" * 256)],
)
def test_texts_are_made_storable(given_text: str, kept: str) -> None:
    assert event_row(named=given_text).named == kept


def test_a_query_may_be_longer_and_ends_too() -> None:
    row = event_row(query="x" * 3_000)

    assert row.query is not None
    assert len(row.query) == 2_000
    assert row.query.endswith("…")


def test_a_request_has_a_row_for_each_patient_and_its_query_once() -> None:
    rows = of_request(
        event_row(query="code=1"), [{"patient_key": 1, "found": 2}, {"patient_key": 5, "found": 1}]
    )

    assert [(row.patient_key, row.found, row.query, row.behind) for row in rows] == [
        (1, 2, "code=1", 0),
        (5, 1, None, 1),
    ]
    assert {row.request_id for row in rows} == {"0192-a"}


def test_a_request_that_found_nobody_has_one_row() -> None:
    assert of_request(AuditRow(kind=3, at=1), []) == (AuditRow(kind=3, at=1),)
