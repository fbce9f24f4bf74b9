"""Cursors: sealed, bound, expiring."""

from typing import Any

import pytest

from ehr.errors import Gone, Invalid
from ehr.search.results.cursor import LIFETIME, Cursor, seal, unseal

KEY, OTHER = b"k" * 32, b"o" * 32
CURSOR = Cursor((-5, 1.5, "Ó Dómhnaill", float("inf")), True, "3:1700", "epoch", 12, 1000)


def sealed(**changes: Any) -> str:
    bound: dict[str, Any] = {"keys": (KEY,), "caller": "me", "search": b"s"} | changes
    return seal(CURSOR, **bound)


def opened(text: str, **changes: Any) -> Cursor:
    bound: dict[str, Any] = {"keys": (KEY,), "caller": "me", "search": b"s", "now": 2000} | changes
    return unseal(text, **bound)


def test_a_cursor_comes_back_as_it_was() -> None:
    assert opened(sealed()) == CURSOR


def test_a_cursor_shows_nothing_and_needs_no_escape_in_a_url() -> None:
    text = sealed()

    assert text.replace("-", "").replace("_", "").isalnum()
    assert sealed() != text


@pytest.mark.parametrize(
    "change",
    [{"caller": "you"}, {"search": b"t"}, {"keys": (OTHER,)}],
    ids=["caller", "search", "key"],
)
def test_a_cursor_serves_its_own_caller_search_and_database_only(change: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="Begin again"):
        opened(sealed(), **change)


def test_an_older_key_still_opens() -> None:
    assert opened(sealed(keys=(OTHER,)), keys=(KEY, OTHER)) == CURSOR


@pytest.mark.parametrize("text", ["", "x", "%%", "é", "A" * 40, "A" * 9000, "\x00"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        opened(text)


def test_a_changed_cursor_is_refused() -> None:
    text = sealed()
    middle = len(text) // 2
    changed = text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]

    with pytest.raises(Invalid):
        opened(changed)


def test_an_old_cursor_is_gone() -> None:
    with pytest.raises(Gone):
        opened(sealed(), now=1000 + LIFETIME)
