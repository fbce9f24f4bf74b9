"""Entity tags as version ids."""

import pytest

from ehr.errors import Invalid
from ehr.urls.conditions import entity_tags


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ()),
        ("*", ("*",)),
        (' W/"3" ', ("3",)),
        ('"3"', ("3",)),
        ("3", ("3",)),
        ('W/"1", W/"2","abc"', ("1", "2", "abc")),
        ('W/""', ("",)),
    ],
)
def test_tags(text: str | None, expected: tuple[str, ...]) -> None:
    assert entity_tags(text, "If-Match") == expected


@pytest.mark.parametrize("text", ["", 'W/"3', "W/3", '"1" "2"', "ü", '"1",', "1;2"])
def test_broken_tags_are_refused_not_ignored(text: str) -> None:
    with pytest.raises(Invalid, match="If-Match"):
        entity_tags(text, "If-Match")
