"""What sign-in asks the record: no more than each person may see, and nothing clinical."""

from typing import TYPE_CHECKING

import pytest

from auth.principal import Principal
from auth.scopes import parse
from ehr.people import People
from tests.client import Client

if TYPE_CHECKING:
    from ehr.record import Record

DOCTOR = Principal(
    "Practitioner/reid", "professional", "Reid", "surgery", person="Practitioner/reid", role="gp"
)
MARY = Principal("Patient/mary", "patient", "Mary", person="Patient/mary", patients=("mary",))
CARER = Principal(
    "RelatedPerson/ben", "carer", "Ben", person="RelatedPerson/ben", patients=("mary", "nobody")
)


@pytest.fixture
def asked(people: Client, record: "Record") -> People:
    """Give the people of the record."""
    return People(record)


def test_a_professional_finds_patients_by_name_and_birth_date(asked: People) -> None:
    assert {one.id for one in asked.find_patients(DOCTOR, "Murray 1950-03-02")} == {"mary", "john"}
    assert asked.find_patients(DOCTOR, "Murray") == []
    assert asked.encounter_patient(DOCTOR, "john-visit") == "john"


@pytest.mark.parametrize("caller", [MARY, CARER], ids=["patient", "carer"])
def test_t11_patients_and_carers_find_their_own_only(asked: People, caller: Principal) -> None:
    found = asked.patient(caller, "mary")

    assert found is not None
    assert found.name == "Mary Murray"
    assert asked.patient(caller, "john") is None
    assert [one.id for one in asked.find_patients(caller, "Murray 1950-03-02")] == ["mary"]
    assert asked.encounter_patient(caller, "john-visit") is None
    assert asked.encounter_patient(caller, "mary-visit") == "mary"


@pytest.mark.parametrize("caller", [DOCTOR, MARY])
def test_who_signed_in_looks_at_nothing_clinical(asked: People, caller: Principal) -> None:
    assert asked.resource(caller, "Observation/mary-vital") is None
    assert asked.resource(caller, "Condition/mary-condition") is None


def test_sign_in_knows_whether_people_are_there_and_their_names(asked: People) -> None:
    assert asked.exists("Patient/mary")
    assert asked.exists("Practitioner/reid")
    assert not asked.exists("Patient/nobody")
    assert not asked.exists("Observation/mary-vital")
    assert asked.name("Organization/surgery") == "Surgery"


def test_a_caller_with_scopes_is_held_to_them(asked: People) -> None:
    app = Principal("app", "professional", "app", scopes=parse("user/Observation.rs"))

    assert asked.patient(app, "mary") is None
