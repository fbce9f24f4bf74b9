"""Which role a caller is in: by kind first, then by the word; unknown is nothing clinical."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.joining.inviting import ROLES as INVITED
from auth.principal import KINDS, Principal
from auth.roles.known import OF_STAFF, ROLES, UNKNOWN, WORDS, of_staff, role_of
from ehr.cli.demo_access import PEOPLE


def _caller(kind: str, role: str | None = None) -> Principal:
    return Principal("1", kind, "Somebody", role=role)


def test_words_are_there_once_and_in_one_form() -> None:
    assert len(set(WORDS)) == len(WORDS)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", word) for word in WORDS)
    assert all(role.label and role.meaning.endswith(".") for role in ROLES)


@pytest.mark.parametrize("word", sorted(OF_STAFF))
def test_a_known_word_is_the_role(word: str) -> None:
    assert role_of(_caller("professional", word)) == word


@pytest.mark.parametrize(
    ("kind", "role"),
    [("patient", "patient"), ("carer", "carer"), ("system", "system"), ("operator", "admin")],
)
@pytest.mark.parametrize("word", [None, "gp", "R0260", "privacy-officer"])
def test_the_kind_decides_before_the_word(kind: str, role: str, word: str | None) -> None:
    assert role_of(_caller(kind, word)) == role


@pytest.mark.parametrize(
    "word", [None, "", "patient", "carer", "system", "named-lead", "GP", "boss"]
)
def test_a_professional_in_no_role_of_staff_is_other_staff(word: str | None) -> None:
    assert role_of(_caller("professional", word)) == UNKNOWN


def test_a_kind_that_is_not_known_is_other_staff() -> None:
    assert role_of(_caller("robot", "gp")) == UNKNOWN


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("R0260", "gp"),
        ("S0:G0:R0260", "gp"),
        ("S8000:G8000:R8001", "nurse"),
        ("R0050", "hospital-consultant"),
        ("R0243", "social-worker"),
        ("R8009", "receptionist"),
        ("R0001", "privacy-officer"),
        ("62247001", "gp"),
        ("768832004", "care-coordinator"),
        ("R9999", UNKNOWN),
        ("S0:G0:", UNKNOWN),
        ("R0260 ", UNKNOWN),
        ("R02601", UNKNOWN),
        ("133932002", UNKNOWN),
    ],
)
def test_codes_stand_for_roles(word: str, role: str) -> None:
    assert of_staff(word) == role


@pytest.mark.parametrize("word", sorted(INVITED))
def test_every_word_that_an_invitation_gives_is_known(word: str) -> None:
    assert of_staff(word) not in (UNKNOWN, "admin")


@pytest.mark.parametrize("word", [role.role for persona in PEOPLE for role in persona.roles])
def test_every_word_of_the_demo_is_known(word: str) -> None:
    assert of_staff(word) != UNKNOWN


@given(st.sampled_from([*KINDS, "robot"]), st.none() | st.text() | st.sampled_from(WORDS))
def test_everybody_is_in_a_role_that_is_signed_in_with(kind: str, word: str | None) -> None:
    role = role_of(_caller(kind, word))

    assert role in WORDS
    assert role != "named-lead"
