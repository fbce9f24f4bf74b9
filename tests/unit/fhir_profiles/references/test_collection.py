"""Which references are found, and how their places are named."""

from typing import Any

import pytest

from fhir_profiles.references import ALL_KINDS, Found, collect


def places(resource: dict[str, Any], **options: Any) -> list[tuple[str, str, str | None]]:
    return [(each.path, each.location, each.value) for each in collect(resource, **options)]


def at(resource: Any, found: Found) -> Any:
    for key in found.keys:
        resource = resource[key]
    return resource


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {"subject": {"reference": "Patient/1"}},
            [("Observation.subject", "Observation.subject", "Patient/1")],
        ),
        (
            {"performer": [{"display": "Ann"}, {"reference": "#a"}]},
            [
                ("Observation.performer", "Observation.performer[0]", None),
                ("Observation.performer", "Observation.performer[1]", "#a"),
            ],
        ),
        (
            {"identifier": [{"assigner": {"reference": "Organization/1"}}]},
            [
                (
                    "Observation.identifier.assigner",
                    "Observation.identifier[0].assigner",
                    "Organization/1",
                )
            ],
        ),
        (
            {"subject": {"identifier": {"assigner": {"reference": "Organization/1"}}}},
            [
                ("Observation.subject", "Observation.subject", None),
                (
                    "Observation.subject.identifier.assigner",
                    "Observation.subject.identifier.assigner",
                    "Organization/1",
                ),
            ],
        ),
        (
            {"extension": [{"url": "u", "extension": [{"valueReference": {"reference": "A/1"}}]}]},
            [
                (
                    "Observation.extension.extension.value[x]",
                    "Observation.extension[0].extension[0].value",
                    "A/1",
                )
            ],
        ),
        (
            {"_status": {"extension": [{"valueReference": {"reference": "A/1"}}]}},
            [
                (
                    "Observation.status.extension.value[x]",
                    "Observation.status.extension[0].value",
                    "A/1",
                )
            ],
        ),
        (
            {"code": {"coding": [{"_code": {"extension": [{"valueReference": {}}]}}]}},
            [
                (
                    "Observation.code.coding.code.extension.value[x]",
                    "Observation.code.coding[0].code.extension[0].value",
                    None,
                )
            ],
        ),
        ({"code": {"coding": [{"code": "reference"}]}, "reference": "x"}, []),
        ({"contained": [{"resourceType": "Group", "managingEntity": {"reference": "A/1"}}]}, []),
        ({"subject": "Patient/1", "performer": {"reference": "A/1"}, "encounter": [None]}, None),
    ],
    ids=[
        "one",
        "list",
        "assigner",
        "identifier of a reference",
        "nested extension",
        "extension of a primitive",
        "extension deep inside",
        "none",
        "contained",
        "wrong shapes",
    ],
)
def test_references_are_found(members: dict[str, Any], expected: Any) -> None:
    found = places({"resourceType": "Observation", **members})

    assert expected is None or found == expected


def test_choice_and_content_reference_paths() -> None:
    request = {"resourceType": "MedicationRequest", "medicationReference": {"reference": "#m"}}
    answer = {"valueReference": {"reference": "Patient/1"}}
    item = {"item": [{"item": [{"answer": [{"item": [{"answer": [answer]}]}]}]}]}

    assert places(request)[0][:2] == (
        "MedicationRequest.medication[x]",
        "MedicationRequest.medication",
    )
    assert places({"resourceType": "QuestionnaireResponse", **item}) == [
        (
            "QuestionnaireResponse.item.answer.value[x]",
            "QuestionnaireResponse.item[0].item[0].answer[0].item[0].answer[0].value",
            "Patient/1",
        )
    ]


def test_nested_resources_on_demand() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {
                "fullUrl": "urn:uuid:1",
                "resource": {
                    "resourceType": "Group",
                    "managingEntity": {"reference": "Organization/1"},
                    "contained": [{"resourceType": "Flag", "subject": {"reference": "#"}}],
                },
            },
            {"resource": {"resourceType": "Dog"}},
        ],
    }

    assert places(bundle) == []
    assert places(bundle, nested=True) == [
        ("Group.managingEntity", "Bundle.entry[0].resource.managingEntity", "Organization/1"),
        ("Flag.subject", "Bundle.entry[0].resource.contained[0].subject", "#"),
    ]


def test_all_kinds_and_their_keys() -> None:
    resource = {
        "resourceType": "Patient",
        "meta": {"profile": ["http://a|1", "http://b"]},
        "text": {"status": "generated", "div": "<div/>"},
        "photo": [{"url": "urn:uuid:1"}],
        "identifier": [{"system": "http://s", "value": "urn:uuid:2"}],
        "extension": [{"url": "http://x", "valueUri": "urn:uuid:3"}],
        "managingOrganization": {"reference": "Organization/1", "type": "Organization"},
    }

    found = collect(resource, kinds=ALL_KINDS)

    assert [(each.kind, each.value) for each in found] == [
        ("canonical", "http://a|1"),
        ("canonical", "http://b"),
        ("narrative", "<div/>"),
        ("uri", "urn:uuid:1"),
        ("uri", "http://s"),
        ("uri", "urn:uuid:3"),
        ("reference", "Organization/1"),
        ("uri", "Organization"),
    ]
    assert [at(resource, each) for each in found] == [each.value for each in found]
    assert found[0].location == "Patient.meta.profile[0]"
    assert found[3].holder is resource["photo"][0]
    assert found[6].holder is resource["managingOrganization"]
