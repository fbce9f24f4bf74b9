"""Owner paths: every type in one class, one patient or none, never the first reference found."""

from typing import Any

import pytest

from fhir_profiles.compartments import types_in
from fhir_profiles.definitions import TypeDefinition, resource_types, type_definition
from fhir_profiles.owners import (
    OWNER_PATHS,
    SHARED,
    UNFILED,
    owner_candidates,
    owner_reference,
)

CLASSES = {
    "shared": SHARED,
    "owned": frozenset(OWNER_PATHS),
    "unfiled": UNFILED,
    "self": frozenset({"Patient"}),
}


@pytest.mark.parametrize("name", resource_types())
def test_every_type_is_in_exactly_one_class(name: str) -> None:
    assert sum(name in members for members in CLASSES.values()) == 1


def test_classes_hold_resource_types_only() -> None:
    assert frozenset().union(*CLASSES.values()) == set(resource_types())


def test_no_type_of_the_patient_compartment_is_shared() -> None:
    assert not SHARED & set(types_in("Patient"))


@pytest.mark.parametrize("name", sorted(SHARED))
def test_shared_types_cannot_be_about_a_patient(name: str) -> None:
    named = {field.name for field in _patient_fields(type_definition(name))}

    assert not named - {"author", "recorder"}


@pytest.mark.parametrize("name", sorted(set(OWNER_PATHS) - {"Bundle"}))
def test_owner_paths_end_at_references_to_patients(name: str) -> None:
    for path in OWNER_PATHS[name]:
        *parents, last = path.split(".")
        holder = type_definition(name)
        for parent in parents:
            holder = type_definition(holder.fields[parent].type)
        field = holder.fields[last]

        assert field.type == "Reference"
        assert not field.targets or "Patient" in field.targets


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Observation", "subject": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Task", "for": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Device", "patient": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Coverage", "beneficiary": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Account", "subject": [{"reference": "Patient/1"}]}, "Patient/1"),
        ({"resourceType": "Binary", "securityContext": {"reference": "Patient/1"}}, "Patient/1"),
    ],
    ids=lambda value: value["resourceType"] if isinstance(value, dict) else None,
)
def test_owner_is_the_element_that_says_about_whom(resource: dict[str, Any], expected: str) -> None:
    assert owner_reference(resource) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Patient/1",
        "Patient/1/_history/2",
        "https://example.org/fhir/Patient/1",
        "https://example.org/fhir/Patient/1/_history/2",
        "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
        "urn:oid:1.2.3",
        "Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009",
    ],
)
def test_text_is_returned_as_it_came(text: str) -> None:
    assert owner_reference(_observation({"reference": text})) == text


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Group/1"},
        {"reference": "PatientX/1"},
        {"reference": "patient/1"},
        {"reference": "#p"},
        {"reference": "https://example.org/fhir/Group/1"},
        {"reference": "https://example.org/Patient/1/Group/2"},
        {"reference": "https://Patient/1"},
        {"reference": "://"},
        {"reference": ""},
        {"reference": 5},
        {"reference": None},
        {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "type": "Device"},
        {"identifier": {"value": "9000000009"}, "type": "Patient"},
        {"display": "Patient/1"},
        {},
        "Patient/1",
        None,
        [],
        [{"reference": "Group/1"}],
        ["Patient/1"],
    ],
    ids=str,
)
def test_no_patient_no_owner(subject: Any) -> None:
    assert owner_reference(_observation(subject)) is None


@pytest.mark.parametrize("type", ["Patient", "http://hl7.org/fhir/StructureDefinition/Patient"])
def test_urn_that_says_patient(type: str) -> None:
    assert owner_reference(_observation({"reference": "urn:uuid:1", "type": type})) == "urn:uuid:1"


def test_performers_and_authors_do_not_own() -> None:
    observation = {"resourceType": "Observation", "performer": [{"reference": "Patient/1"}]}
    basic = {"resourceType": "Basic", "author": {"reference": "Patient/1"}}

    assert owner_reference(observation) is None
    assert owner_reference(basic) is None


def test_a_patient_names_no_owner() -> None:
    assert owner_reference({"resourceType": "Patient", "link": [{}]}) is None


@pytest.mark.parametrize("name", sorted(SHARED | UNFILED))
def test_shared_and_unfiled_types_name_no_owner(name: str) -> None:
    reference = {"reference": "Patient/1"}

    assert (
        owner_reference({"resourceType": name, "subject": reference, "patient": reference}) is None
    )


@pytest.mark.parametrize(
    ("actors", "expected"),
    [
        (["Patient/1", "Practitioner/2", "Location/3"], "Patient/1"),
        (["Patient/1", "Patient/1"], "Patient/1"),
        (["Patient/1", "Patient/2"], None),
        (["Practitioner/2"], None),
        ([], None),
    ],
    ids=["one", "twice the same", "two", "none", "empty"],
)
def test_appointment_needs_exactly_one_patient(actors: list[str], expected: str | None) -> None:
    participants = [{"actor": {"reference": text}} for text in actors]

    assert owner_reference({"resourceType": "Appointment", "participant": participants}) == expected


def test_provenance_belongs_to_the_one_patient_among_its_targets() -> None:
    targets = [{"reference": "Observation/1"}, {"reference": "Patient/1"}]

    assert owner_reference({"resourceType": "Provenance", "target": targets}) == "Patient/1"


def test_audit_event_prefers_whose_data_over_who_looked() -> None:
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "agent": [{"who": {"reference": "Patient/1"}}],
    }
    assert owner_reference(event) == "Patient/1"

    event["entity"] = [{"what": {"reference": "Patient/2"}}]
    assert owner_reference(event) == "Patient/2"

    # Two patients concerned: not the agent instead.
    event["entity"].append({"what": {"reference": "Patient/3"}})
    assert owner_reference(event) is None
    assert owner_candidates(event) == ("Patient/2", "Patient/3")


def test_document_belongs_to_the_subject_of_its_composition() -> None:
    composition = {"resourceType": "Composition", "subject": {"reference": "Patient/1"}}
    document = {"resourceType": "Bundle", "type": "document", "entry": [{"resource": composition}]}

    assert owner_reference(document) == "Patient/1"


@pytest.mark.parametrize(
    "bundle",
    [
        {"type": "collection", "entry": [{"resource": {"resourceType": "Composition"}}]},
        {"type": "document"},
        {"type": "document", "entry": []},
        {"type": "document", "entry": {}},
        {"type": "document", "entry": [None]},
        {"type": "document", "entry": [{"resource": []}]},
        {
            "type": "document",
            "entry": [
                {"resource": {"resourceType": "Flag", "subject": {"reference": "Patient/1"}}}
            ],
        },
        {
            "type": "collection",
            "entry": [
                {"resource": {"resourceType": "Composition", "subject": {"reference": "Patient/1"}}}
            ],
        },
    ],
    ids=str,
)
def test_other_bundles_are_unfiled(bundle: dict[str, Any]) -> None:
    assert owner_reference({"resourceType": "Bundle", **bundle}) is None


@pytest.mark.parametrize("name", ["Appointment", "AuditEvent", "Account", "Provenance", "Schedule"])
@pytest.mark.parametrize("value", [None, 1, "x", {}, [], [None], [[]], {"actor": 1}], ids=str)
def test_broken_shapes_name_no_owner(name: str, value: Any) -> None:
    members = {path.split(".")[0]: value for path in OWNER_PATHS[name]}

    assert owner_reference({"resourceType": name, **members}) is None


def _observation(subject: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "subject": subject}


def _patient_fields(holder: TypeDefinition) -> list[Any]:
    return [field for field in holder.fields.values() if "Patient" in field.targets]
