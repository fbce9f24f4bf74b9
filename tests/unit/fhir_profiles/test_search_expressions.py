"""Expressions that people add: what they select, what is refused, what has to be evaluated."""

from typing import Any

import pytest

from fhir_profiles.evaluated import evaluation
from fhir_profiles.search_expressions import Unusable, about, read


class Rows:
    """Takes the expressions that did not fit."""

    def __init__(self) -> None:
        self.failed: list[str] = []


@pytest.mark.parametrize(
    ("expression", "type", "types"),
    [
        ("Patient.name.family", "Patient", {"string"}),
        ("name | alias", "Organization", {"string"}),
        ("Observation.value as Quantity", "Observation", {"Quantity"}),
        ("Resource.meta.source", "Observation", {"uri"}),
        ("DomainResource.text.status", "Patient", {"code"}),
        ("Observation.subject.where(resolve() is Patient)", "Observation", {"Reference"}),
        ("Patient.telecom.where(system='phone')", "Patient", {"ContactPoint"}),
    ],
)
def test_what_steps_can_say_is_walked(expression: str, type: str, types: set[str]) -> None:
    reading = read(expression, type, "token")

    assert reading.is_walked
    assert reading.types == types


@pytest.mark.parametrize(
    ("expression", "types"),
    [
        # FHIRPath counts all items, a step those within each element.
        ("Patient.contact.telecom[0]", {"ContactPoint"}),
        # A list is equal to a text where it has no other item, which a step does not look at.
        ("Patient.name.where(given='Ann').family", {"string"}),
        ("Patient.name.given.count()", {"integer"}),
        ("Patient.deceased.exists()", {"boolean"}),
        ("Patient.name.family.upper() | Patient.gender", {"string", "code"}),
        ("Patient.name.family = 'x'", {"boolean"}),
        ("iif(Patient.active, 'a', 'b')", None),
    ],
)
def test_what_they_cannot_is_evaluated(expression: str, types: set[str] | None) -> None:
    reading = read(expression, "Patient", "token")

    assert not reading.is_walked
    assert reading.types == types


def test_an_extension_stands_for_its_value() -> None:
    by_function = read("Patient.extension('http://x')", "Patient", "token")
    by_filter = read("Patient.extension.where(url='http://x')", "Patient", "token")

    assert by_function.expression.endswith(".value")
    assert by_filter.expression.endswith(".value")
    assert by_function.types is not None
    assert "Coding" in by_function.types


def test_parts_about_other_types_are_left_out() -> None:
    expression = "Patient.name | Practitioner.name.where(use='a | b') | Resource.id"

    assert about(expression, "Practitioner") == (
        "Practitioner.name.where(use='a | b') | Practitioner.id"
    )
    assert about("Patient.name", "Practitioner") == ""


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("Patient.nothing", "no element nothing"),
        ("Patient.name.where(", "found the end"),
        ("Practitioner.name", "nothing about Patient"),
        ("Patient.birthDate > now()", "now()"),
        ("Patient.generalPractitioner.resolve().name", "another resource"),
        ("Patient.maritalStatus.memberOf('http://x')", "a value set"),
    ],
)
def test_what_cannot_be_indexed_by_is_refused(expression: str, text: str) -> None:
    with pytest.raises(Unusable, match=text.replace("(", r"\(").replace(")", r"\)")):
        read(expression, "Patient", "token")


ANNA: dict[str, Any] = {
    "resourceType": "Patient",
    "active": True,
    "name": [{"family": "A", "given": ["B", None], "_given": [None, {"id": "x"}]}, {"text": "C"}],
    "generalPractitioner": [{"reference": "Practitioner/1"}, {"reference": "Organization/1"}],
}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("Patient.name.given", {"string": ["B"]}),
        ("Patient.name.count()", {"integer": [2]}),
        ("Patient.active | Patient.name.family", {"boolean": [True], "string": ["A"]}),
        ("Patient.generalPractitioner.where(resolve() is Practitioner).reference",
         {"string": ["Practitioner/1"]}),
        ("Patient.photo", {}),
        ("@2024-05", {"date": ["2024-05"]}),
    ],
)  # fmt: skip
def test_values_come_by_their_types(expression: str, values: dict[str, Any]) -> None:
    assert evaluation(expression)(ANNA, Rows()) == values


def test_what_does_not_fit_has_no_value_and_is_told() -> None:
    rows = Rows()

    assert evaluation("Patient.name.single().text")(ANNA, rows) == {}
    assert rows.failed == ["Patient.name.single().text"]
