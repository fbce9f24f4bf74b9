"""The bytes of an event: one form for each, and back; texts that both databases take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.audit.event import AuditRow, Event, Place, canonical, of_request, parse
from tests.given_events import any_event, event_row


@given(any_event)
def test_an_event_comes_back_from_its_bytes(event: Event) -> None:
    assert parse(canonical(event)) == event


@given(any_event, any_event)
def test_no_two_events_have_the_same_bytes(one: Event, other: Event) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


@given(any_event, st.data())
def test_cut_off_bytes_are_refused(event: Event, data: st.DataObject) -> None:
    whole = canonical(event)
    with pytest.raises(ValueError, match=r"cut off|version"):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_bytes_of_a_version_to_come_are_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        parse(b"\x02" + canonical(Event(Place(1, 1, 1), event_row()))[1:])


def test_what_a_text_says_is_told_from_which_text_it_is() -> None:
    one = Event(Place(1, 1, 1), event_row(agent="a", role=None))
    other = Event(Place(1, 1, 1), event_row(agent=None, role="a"))

    assert canonical(one) != canonical(other)


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
