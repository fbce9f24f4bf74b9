"""Elements as FHIRPath sees them: choices, types, primitive extensions, places, variables."""

from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.fhirpath import FhirPathError, Node, compile, location

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "gender": "male",
    "active": True,
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1974-12-25T14:35:45Z"}]},
    "name": [
        {"family": "Smith", "given": ["Ann", None], "_given": [None, {"id": "g2"}]},
        {"use": "maiden", "family": "Jones", "_use": {"id": "u"}},
    ],
    "multipleBirthInteger": 2,
    "contact": [{"name": {"text": "C"}}],
    "generalPractitioner": [{"reference": "#gp"}, {"reference": "Practitioner/9"}],
    "contained": [{"resourceType": "Practitioner", "id": "gp", "active": False}],
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "valueQuantity": {"value": Decimal("6.30"), "unit": "mmol/L"},
    "component": [{"valueCodeableConcept": {"text": "x"}}, {"_valueString": {"id": "s"}}],
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Observation.value.value", [Decimal("6.30")]),
        ("value.unit", ["mmol/L"]),
        ("valueQuantity", []),
        ("value is Quantity and (value is Period).not()", [True]),
        ("value.ofType(Quantity).exists()", [True]),
        ("component.value.ofType(CodeableConcept).text", ["x"]),
        ("component.value.count()", [2]),
        ("component[1].value is string", [True]),
        ("component[1].value.hasValue()", [False]),
        ("value.value.toString()", ["6.30"]),
        ("component[0].is(FHIR.BackboneElement)", [True]),
    ],
)
def test_a_choice_is_found_and_typed_by_its_json_name(expression: str, expected: list[Any]) -> None:
    assert compile(expression).evaluate(OBSERVATION) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("gender is string", [True]),
        ("gender is code", [True]),
        ("gender is id", [False]),
        ("gender.ofType(string)", []),
        ("active.is(Boolean)", [False]),
        ("active is Boolean", [True]),
        ("active.is(System.Boolean)", [False]),
        ("true is Boolean", [True]),
        ("Patient.is(System.Patient)", [False]),
        ("Patient is DomainResource", [True]),
        ("contained.is(Practitioner)", [True]),
        ("contained.ofType(Resource).id", ["gp"]),
        ("Resource.id", ["p"]),
        ("Observation.id", []),
        ("contact.type().name", ["Patient.contact"]),
        ("multipleBirth is integer", [True]),
    ],
)
def test_types(expression: str, expected: list[Any]) -> None:
    assert compile(expression).evaluate(PATIENT) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("birthDate.extension('urn:time').value", ["1974-12-25T14:35:45Z"]),
        ("birthDate.extension.url", ["urn:time"]),
        ("birthDate.hasExtension('urn:time')", [True]),
        ("name.given.count()", [2]),
        ("name.given.select(hasValue())", [True, False]),
        ("name.given[1].id", ["g2"]),
        ("name[1].use.id", ["u"]),
        ("name.given.getValue()", []),
        ("birthDate.getValue() = @1974-12-25", [True]),
    ],
)
def test_extensions_of_primitives(expression: str, expected: list[Any]) -> None:
    assert compile(expression).evaluate(PATIENT) == expected


def test_references_are_resolved_inside_and_by_the_caller() -> None:
    known = {"Practitioner/9": {"resourceType": "Practitioner", "id": "9", "active": True}}

    expression = compile("generalPractitioner.resolve().active")

    assert expression.evaluate(PATIENT) == [False]
    assert expression.evaluate(PATIENT, resolve=known.get) == [False, True]


def test_entries_of_the_bundle_at_hand_are_resolved() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "1"}},
            {"resource": {"resourceType": "Flag", "subject": {"reference": "urn:uuid:1"}}},
        ],
    }

    assert compile("entry.resource.subject.resolve().id").evaluate(bundle) == ["1"]


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("name[1].family", "Patient.name[1].family"),
        ("name.given.first()", "Patient.name[0].given[0]"),
        ("descendants().where($this = 2)", "Patient.multipleBirthInteger"),
        ("birthDate.extension.value", "Patient._birthDate.extension[0].valueDateTime"),
        ("contained.active", "Patient.contained[0].active"),
    ],
)
def test_a_result_knows_its_place(expression: str, place: str) -> None:
    (node,) = compile(expression).nodes(PATIENT)

    assert isinstance(node, Node)
    assert location(node) == place


def test_variables() -> None:
    expression = compile("%sct & %`vs-x` & %mine & %resource.id & %context.text")

    found = expression.evaluate(
        {"text": "ctx"}, resource=PATIENT, environment={"mine": "-"}, type_name="HumanName"
    )

    assert found == ["http://snomed.info/scthttp://hl7.org/fhir/ValueSet/x-pctx"]
    with pytest.raises(FhirPathError, match="no variable %nothing"):
        compile("%nothing").evaluate({})


def test_an_element_is_typed_by_the_caller() -> None:
    assert compile("given").evaluate({"given": ["A"]}, type_name="HumanName") == ["A"]
    assert compile("$this > 5").evaluate(6, type_name="integer") == [True]
    assert compile("value.value").evaluate({"valueQuantity": {"value": 1}}) == [1]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("name.given1", "no element given1"),
        ("Encounter.status", "never Encounter"),
        ("name.where(familly = 'x')", "no element familly"),
        ("children().skip(1)", "no order"),
        ("(multipleBirth as integer).unit", "no element unit"),
    ],
)
def test_the_check_finds_names_that_r4_does_not_have(expression: str, problem: str) -> None:
    with pytest.raises(FhirPathError, match=problem):
        compile(expression).check("Patient")


@pytest.mark.parametrize(
    "expression",
    [
        "name.given",
        "contained.anything",
        "extension('x').value.code",
        "Patient.name | contact.name",
    ],
)
def test_the_check_passes_what_may_exist(expression: str) -> None:
    compile(expression).check("Patient")


def test_membership_and_conformance_ask_the_caller_or_the_definitions() -> None:
    gender = "gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')"

    assert compile(gender).evaluate(PATIENT) == [True]
    assert compile("gender.memberOf('urn:unknown')").evaluate(PATIENT) == []
    assert compile("gender.memberOf('u')").nodes(PATIENT, member_of=lambda v, u: False) == [False]
    base = "http://hl7.org/fhir/StructureDefinition/"
    assert compile(f"conformsTo('{base}DomainResource')").evaluate(PATIENT) == [True]
    assert compile(f"conformsTo('{base}Observation')").evaluate(PATIENT) == [False]


def test_evaluation_changes_nothing() -> None:
    before = repr(PATIENT)

    compile("descendants().where($this is string).combine(name).distinct().count()").evaluate(
        PATIENT
    )

    assert repr(PATIENT) == before
