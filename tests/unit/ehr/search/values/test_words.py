"""Words of texts: folded, spelt for every engine, bounded; and what a search for words means."""

import pytest

from ehr.search.values.words import LONGEST_TEXT, joined, read_words, words
from ehr.store.full_text import All, Either, Phrase


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Bone pain", ["bone", "pain"]),
        ("BÓNE-paín", ["bone", "pain"]),
        ("bone_pain", ["bone", "pain"]),
        ("120/80", ["q313230", "q3830"]),
        ("3e5 x12", ["q336535", "x12"]),
        ("quick", ["q717569636b"]),
        ("Ωmega", ["qcf896d656761"]),
        ("…", []),
    ],
)
def test_words_are_spelt_in_ascii(text: str, kept: list[str]) -> None:
    assert words(text) == kept


def test_no_two_words_are_spelt_alike() -> None:
    known = ["q31", "1", "q", "qq", "31", "a", "q61", "ά", "qce91"]

    assert len({tuple(words(word)) for word in known}) == len(known)


def test_a_text_ends_between_words_where_it_is_too_long() -> None:
    whole = joined(["word " * LONGEST_TEXT])

    assert len(whole) <= LONGEST_TEXT
    assert set(whole.split()) == {"word"}


def test_texts_are_kept_apart() -> None:
    assert joined(["a b", "", "c"]) == "a b q c"


def test_or_binds_least_and_not_takes_away() -> None:
    a, b, c, d = (Phrase((letter,)) for letter in "abcd")

    assert read_words("a b or c and not d") == Either((All((a, b)), All((c,), (d,))))
    assert read_words("a (b or c)") == All((a, Either((b, c))))
    assert read_words('"a b" c') == All((Phrase(("a", "b")), c))
    assert read_words("a-b") == Phrase(("a", "b"))
    assert read_words('"and"') == Phrase(("and",))
