"""What a journal holds: cut off anywhere it gives a prefix, and damage in it is told."""

from hypothesis import given
from hypothesis import strategies as st

from ehr.audit.event import Place, Values, numbered
from ehr.audit.journal.frames import Frame, Unreadable, framed, frames, size_at
from tests.given_events import any_event, event_row

_requests = st.lists(st.lists(any_event, min_size=1, max_size=3), min_size=1, max_size=4)


def _written(requests: list[list[Values]]) -> bytes:
    return b"".join(framed(one) for one in requests)


def _read(data: bytes) -> tuple[list[list[Values]], list[Unreadable]]:
    found = list(frames(data))
    whole = [one.events for one in found if isinstance(one, Frame)]
    return whole, [one for one in found if isinstance(one, Unreadable)]


@given(_requests)
def test_what_was_written_is_read(requests: list[list[Values]]) -> None:
    assert _read(_written(requests)) == (requests, [])


@given(_requests, st.data())
def test_any_cut_gives_a_prefix(requests: list[list[Values]], data: st.DataObject) -> None:
    written = _written(requests)
    cut = data.draw(st.integers(0, len(written)))

    whole, unreadable = _read(written[:cut])

    assert whole == requests[: len(whole)]
    read = len(_written(whole))
    assert unreadable == ([Unreadable(read, cut, True)] if cut > read else [])


@given(_requests, st.data())
def test_a_changed_byte_takes_its_frame_alone(
    requests: list[list[Values]], data: st.DataObject
) -> None:
    written = bytearray(_written(requests))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    ends = [len(_written(requests[: n + 1])) for n in range(len(requests))]
    hit = next(n for n, end in enumerate(ends) if at < end)

    whole, unreadable = _read(bytes(written))

    assert whole == requests[:hit] + requests[hit + 1 :]
    start = ends[hit] - len(framed(requests[hit]))
    assert unreadable == [Unreadable(start, ends[hit], hit == len(requests) - 1)]


def test_zeros_at_the_end_are_a_tail() -> None:
    one = framed(numbered([event_row()], Place(1, 1, 1)))

    assert _read(one + bytes(100))[1] == [Unreadable(len(one), len(one) + 100, True)]


def test_the_size_of_a_frame_is_told_by_its_head() -> None:
    one = framed(numbered([event_row()], Place(1, 1, 1)))

    assert size_at(one[:20]) == len(one)
    assert size_at(one[:5]) == size_at(b"x" * 20) == 0
