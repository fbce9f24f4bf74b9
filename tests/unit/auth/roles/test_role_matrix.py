"""The role table, cell by cell against the one written by hand, and its algebra."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.roles.families import FAMILIES, FAMILY_OF
from auth.roles.known import OF_STAFF, WORDS
from auth.roles.matrix import LETTERS, may, narrowings, rights
from fhir_profiles.definitions import resource_types
from fhir_profiles.owners import SHARED
from tests.policy import role_table

CELLS = role_table.cells()
TYPES = sorted(resource_types())
# What tells of health or care; who a person is, and what was done with the record, apart.
CLINICAL = {
    type
    for one in FAMILIES
    for type in one.types
    if type not in SHARED and one.name not in ("People", "Evidence", "Measures")
}
NOTES = {"Binary", "Composition", "Condition", "DocumentReference", "Observation", "Bundle"}

role = st.sampled_from(WORDS)
letter = st.sampled_from(LETTERS)
type_ = st.sampled_from(TYPES)


@pytest.mark.parametrize("word", WORDS)
def test_every_cell_is_as_written_by_hand(word: str) -> None:
    differ = [
        (type, one, found, expected)
        for type in TYPES
        for one in LETTERS
        if (found := frozenset(narrowings(word, one, type)))
        != (expected := CELLS.get((word, type, one), frozenset()))
    ]

    assert differ == []


def test_what_is_written_by_hand_names_every_role_and_type_and_no_other() -> None:
    assert sorted(role_table.roles()) == sorted(WORDS)
    assert role_table.types() == TYPES
    assert {(role, type) for role, type, _ in CELLS} <= {(r, t) for r in WORDS for t in TYPES}


def test_the_table_is_neither_empty_nor_full() -> None:
    cells = len(WORDS) * len(TYPES) * len(LETTERS)

    assert 0.2 < len(CELLS) / cells < 0.8


@given(role, letter, type_)
def test_may_is_whether_there_is_any_alternative(role: str, letter: str, type: str) -> None:
    assert may(role, letter, type) == bool(narrowings(role, letter, type))


@given(role, type_, st.sets(letter), st.sets(letter))
def test_more_letters_are_never_easier(
    role: str, type: str, some: set[str], more: set[str]
) -> None:
    def all_of(letters: set[str]) -> bool:
        return all(may(role, one, type) for one in letters)

    assert not all_of(some | more) or (all_of(some) and all_of(more))


@given(role, type_)
def test_rights_hold_exactly_the_letters_that_may_tells(role: str, type: str) -> None:
    held = {one for right in rights(role, type) for one in right.letters}

    assert held == {one for one in LETTERS if may(role, one, type)}


@given(st.text(), st.text(), st.text())
def test_what_is_not_known_may_nothing(role: str, letter: str, type: str) -> None:
    for asked in ((role, "r", "Patient"), ("gp", letter, "Patient"), ("gp", "r", type)):
        word, one, name = asked
        if word not in WORDS or one not in LETTERS or name not in FAMILY_OF or not one:
            assert not may(word, one, name)
            assert narrowings(word, one, name) == ()


@pytest.mark.parametrize("word", ["GP", "gp ", "", "Patient", "operator", "professional"])
def test_a_role_is_known_by_its_word_alone(word: str) -> None:
    assert not any(may(word, letter, type) for letter in LETTERS for type in TYPES)


@given(letter, type_)
def test_a_carer_never_has_more_than_the_patient(letter: str, type: str) -> None:
    of_patient = narrowings("patient", letter, type)

    for mine in narrowings("carer", letter, type):
        assert any(theirs <= mine for theirs in of_patient) or mine == {"self"}


@given(letter, type_)
def test_a_carer_has_by_grant_whatever_is_of_a_patient(letter: str, type: str) -> None:
    for words in narrowings("carer", letter, type):
        assert type in SHARED or "grant" in words or words == {"self"}


@given(st.sampled_from([word for word in WORDS if word not in ("admin", "system")]), type_)
def test_no_person_but_the_administrator_deletes(role: str, type: str) -> None:
    assert not may(role, "d", type)


@given(
    st.sampled_from([word for word in WORDS if word != "system"]),
    st.sampled_from(sorted(set(TYPES) - SHARED)),
)
def test_no_person_deletes_what_is_of_a_patient(role: str, type: str) -> None:
    assert not may(role, "d", type)


@given(letter, st.sampled_from(sorted(CLINICAL)))
def test_no_clinical_right_outside_care(letter: str, type: str) -> None:
    for word in ("admin", "analyst", "other-staff"):
        assert not may(word, letter, type)


@given(letter, st.sampled_from(sorted(CLINICAL - {"Task"})))
def test_the_privacy_officer_has_no_clinical_content(letter: str, type: str) -> None:
    assert not may("privacy-officer", letter, type)


@given(letter, st.sampled_from(sorted(NOTES | {"QuestionnaireResponse", "CarePlan"})))
def test_the_front_desk_has_no_notes(letter: str, type: str) -> None:
    assert not may("receptionist", letter, type)


@given(letter, st.sampled_from(sorted(set(TYPES) - SHARED - {"MeasureReport"})))
def test_the_analyst_has_figures_only(letter: str, type: str) -> None:
    assert not may("analyst", letter, type)


@given(type_)
def test_patients_write_only_what_they_say_of_themselves(type: str) -> None:
    said = {
        "Appointment", "AppointmentResponse", "Binary", "CarePlan", "Communication", "Composition",
        "Consent", "DocumentReference", "Goal", "Observation", "Patient", "QuestionnaireResponse",
        "Task",
    }  # fmt: skip

    for one in "cu":
        assert not may("patient", one, type) or type in said
    assert not may("patient", "h", type) or type == "Patient"


@given(role, letter)
def test_audit_events_are_changed_by_nobody(role: str, letter: str) -> None:
    assert not may(role, "u", "AuditEvent")
    assert not may(role, "d", "AuditEvent")
    assert not may(role, "c", "AuditEvent") or role == "system"


@given(st.sampled_from(sorted(OF_STAFF)), st.sampled_from(sorted(SHARED)))
def test_all_staff_read_what_is_of_no_patient(role: str, type: str) -> None:
    assert narrowings(role, "r", type) == narrowings(role, "s", type) == (frozenset(),)
