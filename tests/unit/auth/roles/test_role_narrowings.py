"""The words of the table: closed, and all in use."""

import pytest

from auth.roles.families import FAMILY_OF
from auth.roles.grid import LETTERS
from auth.roles.known import WORDS
from auth.roles.matrix import narrowings
from auth.roles.narrowings import BY_WORD, CHANGE, NARROWINGS, PARTS, ROW, Narrowing

USED = {
    (type, letter, word)
    for role in WORDS
    for type in FAMILY_OF
    for letter in LETTERS
    for words in narrowings(role, letter, type)
    for word in words
}
each = pytest.mark.parametrize("one", NARROWINGS, ids=lambda one: one.word)


@each
def test_a_word_is_used_for_each_of_its_types(one: Narrowing) -> None:
    used = {type for type, _, word in USED if word == one.word}

    assert used == one.types if one.types else len(used) > 1


@each
def test_a_word_has_one_meaning_and_a_kind(one: Narrowing) -> None:
    assert BY_WORD[one.word] is one
    assert one.meaning.endswith(".")
    assert one.kind in (ROW, CHANGE, PARTS)


@pytest.mark.parametrize("role", WORDS)
def test_who_sees_parts_of_a_row_never_changes_it(role: str) -> None:
    """An update tells of the parts that are left out, or takes them away unseen."""
    in_parts = {one.word for one in NARROWINGS if one.kind == PARTS}
    assert in_parts == {"minimal", "outline", "conclusion"}

    for type in FAMILY_OF:
        told = {word for letter in "rsh" for words in narrowings(role, letter, type)
                for word in words}  # fmt: skip
        if told & in_parts:
            assert not [letter for letter in "cud" if narrowings(role, letter, type)], type


@each
def test_only_writes_are_narrowed_by_what_changes_and_reads_by_parts(one: Narrowing) -> None:
    letters = {letter for _, letter, word in USED if word == one.word}

    assert one.kind != CHANGE or letters <= set("cu")
    assert one.kind != PARTS or letters <= set("rsh")
