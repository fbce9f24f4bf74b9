"""`_summary` and `_elements`: what stays, what goes, and the tag."""

import copy
from typing import Any

import pytest

from fhir_profiles.subset import SUBSETTED, only_elements, summarise, unknown_elements

DIV = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "1",
    "meta": {"versionId": "2", "tag": [{"code": "a"}]},
    "implicitRules": "http://r",
    "language": "en",
    "text": DIV,
    "contained": [
        {"resourceType": "Device", "id": "d", "owner": {"reference": "#o"}},
        {"resourceType": "Organization", "id": "o"},
        {"resourceType": "Group", "id": "g"},
    ],
    "extension": [{"url": "u", "valueCode": "x"}],
    "modifierExtension": [{"url": "m", "valueCode": "y"}],
    "status": "final",
    "_status": {"id": "s"},
    "category": [{"text": "c"}],
    "code": {"extension": [{"url": "u", "valueCode": "x"}], "text": "t"},
    "subject": {"reference": "Patient/1"},
    "valueQuantity": {"value": 1, "unit": "g"},
    "note": [{"text": "n"}],
    "device": {"reference": "#d"},
    "component": [
        {"id": "k", "code": {"text": "p"}, "interpretation": [{"text": "i"}], "valueString": "v"}
    ],
}


def test_summary_keeps_summary_elements_at_every_level() -> None:
    assert summarise(OBSERVATION, "true") == {
        "resourceType": "Observation",
        "id": "1",
        "meta": {"versionId": "2", "tag": [{"code": "a"}, SUBSETTED]},
        "implicitRules": "http://r",
        "modifierExtension": [{"url": "m", "valueCode": "y"}],
        "status": "final",
        "_status": {"id": "s"},
        "code": {"text": "t"},
        "subject": {"reference": "Patient/1"},
        "valueQuantity": {"value": 1, "unit": "g"},
        "component": [{"code": {"text": "p"}, "valueString": "v"}],
    }


def test_text_keeps_narrative_and_what_is_mandatory() -> None:
    kept = summarise(OBSERVATION, "text")

    assert list(kept) == [
        "resourceType",
        "id",
        "meta",
        "implicitRules",
        "text",
        "modifierExtension",
        "status",
        "_status",
        "code",
    ]
    assert kept["code"] is OBSERVATION["code"]


def test_data_leaves_out_the_narrative_only() -> None:
    kept = summarise(OBSERVATION, "data")

    assert set(OBSERVATION) - set(kept) == {"text"}
    assert kept["contained"] is OBSERVATION["contained"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["subject"], {"subject"}),
        (["Observation.subject", "Patient.code", "Patient.category"], {"subject"}),
        (["value"], {"valueQuantity"}),
        (["value[x]"], {"valueQuantity"}),
        (["valueQuantity"], {"valueQuantity"}),
        (["valueString"], set()),
        (["note.text"], set()),
        (["status"], set()),
        (["unknown", ""], set()),
        (["extension", "language"], {"extension", "language"}),
    ],
)
def test_elements_keep_named_and_mandatory_ones(names: list[str], expected: set[str]) -> None:
    always = {"resourceType", "id", "meta", "implicitRules", "modifierExtension"}

    kept = only_elements(OBSERVATION, names)

    assert set(kept) == always | {"status", "_status", "code"} | expected
    assert all(kept[name] is OBSERVATION[name] for name in expected)
    assert SUBSETTED in kept["meta"]["tag"]


def test_contained_resources_stay_where_they_are_needed() -> None:
    kept = only_elements(OBSERVATION, ["device"])

    assert [item["id"] for item in kept["contained"]] == ["d", "o"]
    assert list(kept)[:5] == ["resourceType", "id", "meta", "implicitRules", "contained"]


def test_primitive_extension_follows_its_element() -> None:
    patient = {"resourceType": "Patient", "_birthDate": {"id": "b"}, "gender": "female"}

    assert only_elements(patient, ["birthDate"]) == {
        "resourceType": "Patient",
        "meta": {"tag": [SUBSETTED]},
        "_birthDate": {"id": "b"},
    }


def test_tag_is_added_once_and_the_original_is_untouched() -> None:
    before = copy.deepcopy(OBSERVATION)

    once = only_elements(OBSERVATION, ["code"])

    assert only_elements(once, ["code"]) == once
    assert summarise(once, "true")["meta"] == once["meta"]
    assert before == OBSERVATION


def test_summary_reaches_into_bundles() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "text": DIV}}],
    }

    entry = summarise(bundle, "true")["entry"][0]

    assert entry["fullUrl"] == "urn:uuid:1"
    assert entry["resource"] == {"resourceType": "Patient", "meta": {"tag": [SUBSETTED]}}


@pytest.mark.parametrize("inner", [{"resourceType": "Dog"}, {}])
def test_summary_leaves_unknown_resources_alone(inner: dict[str, Any]) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1", "resource": inner}]}

    assert summarise(bundle, "true")["entry"][0].get("resource", {}) == inner


def test_summary_drops_what_becomes_empty() -> None:
    patient = {"resourceType": "Patient", "name": [{"extension": [{"url": "u"}]}], "photo": []}

    assert set(summarise(patient, "true")) == {"resourceType", "meta"}


def test_summary_keeps_mandatory_elements_that_are_no_summary_elements() -> None:
    audit = {
        "resourceType": "AuditEvent",
        "agent": [{"requestor": True, "name": "a"}],
        "source": {"site": "s", "observer": {"display": "o"}},
    }

    kept = summarise(audit, "true")

    assert kept["agent"] == [{"requestor": True}]
    assert kept["source"] == {"observer": {"display": "o"}}


def test_the_type_may_be_asked_for_and_is_always_there() -> None:
    resource = {"resourceType": "Patient", "id": "1", "active": True}

    assert unknown_elements("Patient", ["resourceType", "Patient.resourceType"]) == []
    assert only_elements(resource, ["resourceType"]).keys() == {"resourceType", "id", "meta"}


def test_unknown_elements_are_named() -> None:
    names = ["birthDate", "Patient.name", "deceased[x]", "Observation.code", "x", "Patient.y", ""]
    parts = ["name.family", "Patient.name.family"]

    assert unknown_elements("Patient", names + parts) == ["x", "Patient.y", "", *parts]
