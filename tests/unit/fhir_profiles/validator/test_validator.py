"""The rules of the base validator, one small resource each: location and code of the issue."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.validator import validate, validate_as
from fhir_profiles.validator.accept import accepts

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]},
    "subject": {"reference": "Patient/1"},
}
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "a", "name": [{"given": ["Jo", "Lee"]}]}
CONDITION_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def observation(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(OBSERVATION), **members}


def patient(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(PATIENT), **members}


def condition(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "subject": {"reference": "Patient/1"}, **members}


def bundle(kind: str, *entries: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **members}


def contained(*resources: dict[str, Any], **members: Any) -> dict[str, Any]:
    references = [{"reference": "#" + one.get("id", "")} for one in resources]
    return patient(contained=list(resources), generalPractitioner=references, **members)


def without(resource: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != name}


GP = {"resourceType": "Practitioner", "id": "gp"}
EXTENSION = {"url": "http://example.org/e", "valueString": "x"}
PUT = {"method": "PUT", "url": "Patient/a"}
CODING = {"system": CONDITION_STATUS, "code": "active"}

SOUND: dict[str, Any] = {
    "small": OBSERVATION,
    "only a type": {"resourceType": "Patient"},
    "exact decimal": observation(valueQuantity={"value": Decimal("1.00")}),
    "required code by extension": {
        **without(OBSERVATION, "status"),
        "_status": {"extension": [EXTENSION]},
    },
    "null beside an extension": patient(
        name=[{"given": ["Jo", None], "_given": [None, {"extension": [EXTENSION]}]}]
    ),
    "only extensions for an array": patient(name=[{"_given": [{"extension": [EXTENSION]}]}]),
    "extension of extensions": patient(extension=[{"url": "urn:x", "extension": [EXTENSION]}]),
    "value by extension": patient(
        extension=[{"url": "urn:x", "_valueString": {"extension": [EXTENSION]}}]
    ),
    "id beside a value": patient(birthDate="2000", _birthDate={"id": "b"}),
    "urn reference": observation(subject={"reference": "urn:uuid:1"}),
    "logical reference": observation(subject={"identifier": {"value": "1"}}),
    "conditional reference": observation(subject={"reference": "Patient?identifier=x|1"}),
    "absolute reference": observation(subject={"reference": "https://a.org/fhir/Patient/1"}),
    "versioned reference": observation(subject={"reference": "Patient/1/_history/2"}),
    "any reference": {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "entry": [{"item": {"reference": "Slot/1"}}],
    },
    "contained": contained(GP),
    "contained refers to its container": patient(
        contained=[
            {
                "resourceType": "Observation",
                "id": "o",
                "status": "final",
                "code": {"text": "x"},
                "subject": {"reference": "#"},
            }
        ]
    ),
    "concept from the set": condition(clinicalStatus={"coding": [{"code": "x"}, CODING]}),
    "narrative": patient(
        text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    ),
    "transaction": bundle(
        "transaction", {"fullUrl": "urn:uuid:1", "resource": PATIENT, "request": PUT}
    ),
    "delete": bundle("batch", {"request": {"method": "DELETE", "url": "Patient/1"}}),
    "empty collection": {"resourceType": "Bundle", "type": "collection"},
    "Binary": {"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="},
    "same id in two entries": bundle(
        "collection",
        {"resource": patient(name=[{"id": "1", "text": "x"}])},
        {"resource": patient(name=[{"id": "1", "text": "x"}])},
    ),
}

# name: (resource, location, code)
UNSOUND: dict[str, tuple[Any, str, str]] = {
    # the table of the stack study
    "unknown element": (patient(colour="red"), "Patient", "structure"),
    "unknown nested element": (patient(name=[{"colour": "x"}]), "Patient.name[0]", "structure"),
    "scalar where array": (patient(name={"text": "x"}), "Patient.name", "structure"),
    "array where scalar": (patient(gender=["male"]), "Patient.gender", "structure"),
    "bad date": (patient(birthDate="1980-13-45"), "Patient.birthDate", "value"),
    "impossible date": (patient(birthDate="2023-02-30"), "Patient.birthDate", "value"),
    "time without zone": (
        observation(effectiveDateTime="2024-01-01T10:00:00"),
        "Observation.effective.ofType(dateTime)",
        "value",
    ),
    "bad code": (patient(gender="m"), "Patient.gender", "code-invalid"),
    "missing required code": (without(OBSERVATION, "status"), "Observation", "required"),
    "missing required complex": (without(OBSERVATION, "code"), "Observation", "required"),
    "choice twice": (observation(valueString="x", valueInteger=1), "Observation", "structure"),
    "choice twice by extension": (
        observation(valueString="x", _valueInteger={"extension": [EXTENSION]}),
        "Observation",
        "structure",
    ),
    "wrong reference type": (
        observation(subject={"reference": "Medication/1"}),
        "Observation.subject",
        "structure",
    ),
    "empty array": (patient(name=[]), "Patient.name", "structure"),
    "empty object": (patient(name=[{}]), "Patient.name[0]", "structure"),
    "null": (patient(gender=None), "Patient.gender", "structure"),
    "empty string": (patient(name=[{"family": ""}]), "Patient.name[0].family", "value"),
    "boolean in quotes": (patient(active="true"), "Patient.active", "structure"),
    "decimal in quotes": (
        observation(valueQuantity={"value": "1.5"}),
        "Observation.value.ofType(Quantity).value",
        "structure",
    ),
    "bad id": (patient(id="a_b"), "Patient.id", "value"),
    "id of 65 characters": (patient(id="a" * 65), "Patient.id", "value"),
    "string over 1 MiB": (
        patient(name=[{"family": "x" * 1_048_577}]),
        "Patient.name[0].family",
        "value",
    ),
    "code with leading space": (
        observation(code={"coding": [{"code": " x"}]}),
        "Observation.code.coding[0].code",
        "value",
    ),
    "uri with space": (patient(implicitRules="a b"), "Patient.implicitRules", "value"),
    "unknown resourceType": ({"resourceType": "Patiend"}, "Resource", "structure"),
    "positiveInt 0": (patient(telecom=[{"rank": 0}]), "Patient.telecom[0].rank", "value"),
    "contained in contained": (
        contained({**GP, "contained": [{**GP, "id": "b"}]}),
        "Patient.contained[0]",
        "invariant",
    ),
    "pat-1": (patient(contact=[{"gender": "male"}]), "Patient.contact[0]", "invariant"),
    "obs-6": (
        observation(valueString="x", dataAbsentReason={"text": "y"}),
        "Observation",
        "invariant",
    ),
    "per-1": (
        patient(name=[{"period": {"start": "2024", "end": "2023"}}]),
        "Patient.name[0].period",
        "invariant",
    ),
    "ext-1 both": (
        patient(extension=[{**EXTENSION, "extension": [EXTENSION]}]),
        "Patient.extension[0]",
        "invariant",
    ),
    # and beyond it
    "no resource": ([], "Resource", "structure"),
    "no resourceType": ({}, "Resource", "structure"),
    "resourceType a number": ({"resourceType": 1}, "Resource", "structure"),
    "a data type": ({"resourceType": "HumanName", "text": "x"}, "Resource", "structure"),
    "an abstract type": ({"resourceType": "DomainResource"}, "Resource", "structure"),
    "fhir_comments": (patient(fhir_comments=["x"]), "Patient", "structure"),
    "resourceType in an element": (
        patient(name=[{"resourceType": "HumanName", "text": "x"}]),
        "Patient.name[0]",
        "structure",
    ),
    "ext-1 neither": (patient(extension=[{"url": "urn:x"}]), "Patient.extension[0]", "invariant"),
    "extension without url": (
        patient(extension=[{"valueString": "x"}]),
        "Patient.extension[0]",
        "required",
    ),
    "second given name": (
        patient(name=[{"given": ["x", 1]}]),
        "Patient.name[0].given[1]",
        "structure",
    ),
    "null in an array": (
        patient(name=[{"given": ["x", None]}]),
        "Patient.name[0].given[1]",
        "structure",
    ),
    "two nulls": (
        patient(name=[{"given": ["x", None], "_given": [{"id": "a"}, None]}]),
        "Patient.name[0].given[1]",
        "structure",
    ),
    "unequal arrays": (
        patient(name=[{"given": ["x", "y"], "_given": [{"id": "a"}]}]),
        "Patient.name[0].given",
        "structure",
    ),
    "_given that says nothing": (
        patient(name=[{"given": ["x"], "_given": [None]}]),
        "Patient.name[0].given",
        "structure",
    ),
    "_birthDate not an object": (patient(_birthDate="x"), "Patient.birthDate", "structure"),
    "_birthDate empty": (patient(_birthDate={}), "Patient.birthDate", "structure"),
    "_birthDate unknown": (patient(_birthDate={"value": "x"}), "Patient.birthDate", "structure"),
    "_name": (patient(_name=[{"id": "x"}]), "Patient", "structure"),
    "_url of an extension": (
        patient(extension=[{**EXTENSION, "_url": {"id": "a"}}]),
        "Patient.extension[0]",
        "structure",
    ),
    "ele-1": (patient(name=[{"id": "x"}]), "Patient.name[0]", "invariant"),
    "ele-1 of a primitive": (patient(_birthDate={"id": "x"}), "Patient.birthDate", "invariant"),
    "id twice": (
        patient(name=[{"id": "1", "text": "x"}], telecom=[{"id": "1", "system": "phone"}]),
        "Patient.telecom[0]",
        "invalid",
    ),
    "reference without a type": (
        observation(subject={"reference": "1"}),
        "Observation.subject",
        "value",
    ),
    "reference to an unknown type": (
        observation(subject={"reference": "Person1/1"}),
        "Observation.subject",
        "value",
    ),
    "absolute reference of a wrong type": (
        observation(subject={"reference": "http://a.org/fhir/Medication/1/_history/1"}),
        "Observation.subject",
        "structure",
    ),
    "conditional reference of a wrong type": (
        observation(subject={"reference": "Medication?code=1"}),
        "Observation.subject",
        "structure",
    ),
    "type of a reference": (
        observation(subject={"type": "Medication", "display": "x"}),
        "Observation.subject",
        "structure",
    ),
    "type against reference": (
        observation(subject={"type": "Group", "reference": "Patient/1"}),
        "Observation.subject",
        "structure",
    ),
    "type that is none": (
        observation(subject={"type": "patient", "reference": "Patient/1"}),
        "Observation.subject",
        "value",
    ),
    "local reference to nothing": (
        observation(subject={"reference": "#x"}),
        "Observation.subject",
        "invariant",
    ),
    "dom-3": (patient(contained=[GP]), "Patient.contained[0]", "invariant"),
    "dom-4": (
        contained({**GP, "meta": {"versionId": "1"}}),
        "Patient.contained[0]",
        "invariant",
    ),
    "dom-5": (
        contained({**GP, "meta": {"security": [{"code": "R"}]}}),
        "Patient.contained[0]",
        "invariant",
    ),
    "contained without id": (
        patient(contained=[{"resourceType": "Practitioner"}]),
        "Patient.contained[0]",
        "invariant",
    ),
    "contained twice": (contained(GP, GP), "Patient.contained[1].id", "invalid"),
    "fault in contained": (
        contained({**GP, "gender": "x"}),
        "Patient.contained[0].gender",
        "code-invalid",
    ),
    "concept outside the set": (
        condition(clinicalStatus={"coding": [{"system": "x", "code": "active"}]}),
        "Condition.clinicalStatus",
        "code-invalid",
    ),
    "concept by text alone": (
        condition(clinicalStatus={"text": "active"}),
        "Condition.clinicalStatus",
        "code-invalid",
    ),
    "empty narrative": (
        patient(text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"/>'}),
        "Patient.text.div",
        "invariant",
    ),
    "att-1": (
        patient(photo=[{"data": "aGVsbG8="}]),
        "Patient.photo[0]",
        "invariant",
    ),
    "cpt-2": (patient(telecom=[{"value": "1"}]), "Patient.telecom[0]", "invariant"),
    "qty-3": (
        observation(valueQuantity={"code": "mg"}),
        "Observation.value.ofType(Quantity)",
        "invariant",
    ),
    "rat-1": (
        observation(valueRatio={"numerator": {"value": 1}}),
        "Observation.value.ofType(Ratio)",
        "invariant",
    ),
    "bdl-1": (bundle("collection", total=1), "Bundle", "invariant"),
    "bdl-2": (
        bundle("collection", {"resource": PATIENT, "search": {"mode": "match"}}),
        "Bundle.entry[0]",
        "invariant",
    ),
    "bdl-3 missing": (bundle("batch", {"resource": PATIENT}), "Bundle.entry[0]", "invariant"),
    "bdl-3 prohibited": (
        bundle("collection", {"resource": PATIENT, "request": PUT}),
        "Bundle.entry[0]",
        "invariant",
    ),
    "bdl-4": (
        bundle("transaction-response", {"resource": PATIENT}),
        "Bundle.entry[0]",
        "invariant",
    ),
    "bdl-5": (bundle("collection", {"fullUrl": "urn:uuid:1"}), "Bundle.entry[0]", "invariant"),
    "bdl-7": (
        bundle(
            "collection",
            {"fullUrl": "urn:uuid:1", "resource": PATIENT},
            {"fullUrl": "urn:uuid:1", "resource": PATIENT},
        ),
        "Bundle",
        "invariant",
    ),
    "bdl-8": (
        bundle("collection", {"fullUrl": "http://a.org/Patient/a/_history/1", "resource": PATIENT}),
        "Bundle.entry[0]",
        "invalid",
    ),
    "bdl-9 to 11": (bundle("document", {"resource": PATIENT}), "Bundle", "invariant"),
    "bdl-12": (bundle("message", {"resource": PATIENT}), "Bundle", "invariant"),
    "relative fullUrl": (
        bundle("collection", {"fullUrl": "Patient/a", "resource": PATIENT}),
        "Bundle.entry[0]",
        "invalid",
    ),
    "fullUrl of another id": (
        bundle("collection", {"fullUrl": "http://a.org/Patient/b", "resource": PATIENT}),
        "Bundle.entry[0]",
        "invalid",
    ),
    "fault in an entry": (
        bundle("collection", {"resource": PATIENT}, {"resource": patient(gender="x")}),
        "Bundle.entry[1].resource.gender",
        "code-invalid",
    ),
    "Bundle type a list": (
        {"resourceType": "Bundle", "type": [], "entry": [1, {"resource": 1}]},
        "Bundle.entry[1].resource",
        "structure",
    ),
}


@pytest.mark.parametrize("resource", SOUND.values(), ids=SOUND)
def test_accepts(resource: Any) -> None:
    assert validate(resource) == []


@pytest.mark.parametrize(("resource", "location", "code"), UNSOUND.values(), ids=UNSOUND)
def test_refuses_at_the_place(resource: Any, location: str, code: str) -> None:
    issues = validate(resource)

    assert not accepts(resource)
    assert (location, code) in {(issue.expression, issue.code) for issue in issues}
    assert {issue.severity for issue in issues} == {"error"}


def test_all_issues_are_told_at_once() -> None:
    issues = validate(patient(colour="red", gender="m", birthDate="x", name=[{"given": [1]}]))

    assert {issue.expression for issue in issues} == {
        "Patient",
        "Patient.gender",
        "Patient.birthDate",
        "Patient.name[0].given[0]",
    }


def test_suggests_the_nearest_name() -> None:
    assert "Did you mean 'birthDate'?" in validate(patient(birthdate="2000"))[0].diagnostics
    assert "Did you mean 'Patient'?" in validate({"resourceType": "Patiend"})[0].diagnostics


def test_names_the_codes_when_they_are_few() -> None:
    assert "female, male, other, unknown" in validate(patient(gender="m"))[0].diagnostics


def test_says_nothing_of_what_the_record_says() -> None:
    secret = patient(birthDate="Secret", gender="Secret", name=[{"given": [["Secret"]]}])

    assert not any("Secret" in issue.diagnostics for issue in validate(secret))


def test_locations_begin_where_the_resource_stands() -> None:
    issues = validate(patient(gender="m"), expression="Bundle.entry[7].resource")

    assert [issue.expression for issue in issues] == ["Bundle.entry[7].resource.gender"]


def test_validate_as_asks_for_the_type() -> None:
    assert validate_as(PATIENT, "Patient") == []
    assert validate_as(PATIENT, "Observation")[0].code == "invalid"
    assert validate_as([], "Observation")[0].code == "structure"


def test_tolerant_makes_warnings_of_what_published_examples_do() -> None:
    doubtful = [
        observation(subject={"reference": "Medication/1"}),
        bundle("collection", {"fullUrl": "http://a.org/Patient/b", "resource": PATIENT}),
        UNSOUND["empty narrative"][0],
    ]

    for resource in doubtful:
        issues = validate(resource, tolerant=True)
        assert [issue.severity for issue in issues] == ["warning"]


def test_deep_python_objects_are_refused_without_recursion() -> None:
    deep: dict[str, Any] = {"text": "x"}
    for _ in range(5000):
        deep = {"extension": [{"url": "urn:x", "extension": [deep]}]}

    assert any("deeper" in issue.diagnostics for issue in validate(patient(**deep)))


def test_a_hostile_document_gets_a_bounded_answer() -> None:
    entries = [{"resource": patient(**{f"x{i}-{n}": 1 for i in range(60)})} for n in range(60)]

    issues = validate(bundle("collection", *entries))

    assert len(issues) == 1001
    assert issues[-1].severity == "warning"
    assert sum("Did you mean" in issue.diagnostics for issue in issues) <= 50
