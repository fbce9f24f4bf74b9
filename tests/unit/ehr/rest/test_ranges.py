"""Byte ranges of raw content."""

from collections.abc import Iterator

import pytest

from ehr.rest.ranges import ByteRange, RangeNotSatisfiable, cut, wanted_range

NOON = 1_700_000_000_000


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", ByteRange(0, 9, 100)),
        ("bytes=90-", ByteRange(90, 99, 100)),
        ("bytes=90-500", ByteRange(90, 99, 100)),
        ("bytes=-10", ByteRange(90, 99, 100)),
        ("bytes=-500", ByteRange(0, 99, 100)),
        ("Bytes = 5-5", ByteRange(5, 5, 100)),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("rubbish", None),
    ],
)
def test_range(header: str | None, expected: ByteRange | None) -> None:
    assert wanted_range(header, None, 100, "", None) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_behind_the_end(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        wanted_range(header, None, 100, "", None)


def test_nothing_has_no_range() -> None:
    with pytest.raises(RangeNotSatisfiable):
        wanted_range("bytes=0-", None, 0, "", None)


@pytest.mark.parametrize(
    ("if_range", "is_partial"),
    [
        ('W/"3"', True),
        ('W/"2"', False),
        ("Tue, 14 Nov 2023 22:13:20 GMT", True),
        ("Tue, 14 Nov 2023 22:13:21 GMT", False),
        ("rubbish", False),
    ],
)
def test_if_range(if_range: str, is_partial: bool) -> None:
    found = wanted_range("bytes=0-1", if_range, 100, 'W/"3"', NOON)

    assert (found is not None) is is_partial


@pytest.mark.parametrize("first", range(12))
@pytest.mark.parametrize("last", range(12))
def test_cut_equals_a_slice(first: int, last: int) -> None:
    if last < first:
        return
    whole = [b"abc", b"", b"defgh", b"ijkl"]

    assert b"".join(cut(whole, ByteRange(first, last, 12))) == b"abcdefghijkl"[first : last + 1]


def test_cut_stops_early_and_closes_its_source() -> None:
    seen: list[str] = []

    def chunks() -> Iterator[bytes]:
        try:
            for letter in "abcdef":
                seen.append(letter)
                yield letter.encode() * 10
        finally:
            seen.append("closed")

    assert b"".join(cut(chunks(), ByteRange(5, 14, 60))) == b"aaaaabbbbb"
    assert seen == ["a", "b", "closed"]
