"""Query strings: decoded strictly, in order, and never guessed at."""

import pytest

from ehr.errors import Invalid
from ehr.urls.queries import decode_pairs, decode_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", ()),
        (b"&&", ()),
        (b"a=1&b=2&a=3", (("a", "1"), ("b", "2"), ("a", "3"))),
        (b"name=J%C3%BCrgen+M", (("name", "Jürgen M"),)),
        (b"code=http%3A%2F%2Floinc.org%7C8867-4", (("code", "http://loinc.org|8867-4"),)),
        (b"flag", (("flag", ""),)),
        (b"a=b=c", (("a", "b=c"),)),
        (b"name:exact=%2B", (("name:exact", "+"),)),
        ("name=é".encode(), (("name", "é"),)),
    ],
)
def test_pairs(text: bytes, expected: tuple[tuple[str, str], ...]) -> None:
    assert decode_pairs(text, "query") == expected


@pytest.mark.parametrize(
    "text", [b"a=%", b"a=%zz", b"a=%C3", b"a=\xff", b"a=%00", b"=1", b"%ED%A0%80=1",
             b"&".join([b"a=1"] * 1001)],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_broken_queries_are_refused(text: bytes) -> None:
    with pytest.raises(Invalid, match="query"):
        decode_pairs(text, "query")


def test_path_of_an_entry_keeps_its_plus() -> None:
    assert decode_path("Patient/a+b%2Fc") == "Patient/a+b/c"


@pytest.mark.parametrize("path", ["Patient/%", "Patient/\ud800", "Patient/%FF", "Patient/%00"])
def test_broken_paths_are_refused(path: str) -> None:
    with pytest.raises(Invalid):
        decode_path(path)
