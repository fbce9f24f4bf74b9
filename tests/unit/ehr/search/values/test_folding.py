"""Folding: what does not count, on every character there is, and in bounded time and space."""

import sys
import time
import unicodedata

import pytest

from ehr.search.values.folding import fold
from ehr.search.values.words import joined, words

LONG = 100_000


def plainly(text: str) -> str:
    """Fold by asking for each character what it is."""
    for _ in range(2):
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if _kind(c) != "M").casefold()
    text = text.lower()
    return " ".join("".join(c for c in text if _kind(c) != "P").split()) or " ".join(text.split())


def _kind(character: str) -> str:
    return unicodedata.category(character)[0]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("O'Brien-Smith", "obriensmith"),
        ("  Frida   KAHLO ", "frida kahlo"),
        ("Zürich", "zurich"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("ﬁne", "fine"),
        ("김민준", unicodedata.normalize("NFKD", "김민준")),
        ("ﷺ", "صلى الله عليه وسلم"),
        ("…!", "...!"),
        ("\U0001e8d0\U0001d49c", "a"),
    ],
)
def test_what_does_not_count_is_taken_away(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_every_character_folds_as_asking_for_each_would() -> None:
    for begin in (*range(0, 0x20000, 2048), 0xE0000):
        if 0xD800 <= begin < 0xE000:  # no characters
            continue
        text = "b ".join(map(chr, range(begin, begin + 2048)))
        assert fold(text) == plainly(text), f"from {begin:x} on"


def test_there_are_no_marks_or_punctuation_elsewhere() -> None:
    elsewhere = (*range(0x20000, 0xE0000), *range(0xE0200, sys.maxunicode + 1))

    assert not [each for each in elsewhere if _kind(chr(each)) in "MP"]


@pytest.mark.parametrize(
    "text",
    ["ﷺ" * LONG, "a" + "\u0301\u0323" * LONG, "ﷺ\u0301\u0323" * LONG, "\U0001e8d0" * LONG],
    ids=["ligatures", "marks", "both", "rare marks"],
)
def test_no_text_takes_long_or_grows_without_bound(text: str) -> None:
    begin = time.process_time()
    folded = fold(text)
    kept = joined([text])
    took = time.process_time() - begin

    assert took < 3
    assert len(folded) <= 3 * len(text) + 1000
    assert len(kept) <= 200_000


def test_beginnings_of_long_texts_fold_alike() -> None:
    text = "Ålesund ﷺ " * LONG

    assert fold(text).startswith(fold(text[:5]))
    assert words(text)[:2] == words(text[:20])[:2]


def test_many_long_texts_are_not_all_read() -> None:
    begin = time.process_time()
    kept = joined("é à" * LONG for _ in range(1000))

    assert time.process_time() - begin < 3
    assert len(kept) <= 200_000
