"""OperationOutcomes: valid and safe to write whatever the caller sent."""

from ehr.outcome import operation_outcome
from fhir_profiles import json_format, xml_format
from fhir_profiles.issues import Issue


def test_an_issue_becomes_one() -> None:
    outcome = operation_outcome([Issue("value", "Too tall.", "Observation.value")])

    assert outcome == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "value",
                "diagnostics": "Too tall.",
                "expression": ["Observation.value"],
            }
        ],
    }


def test_hostile_text_can_be_written_in_both_formats() -> None:
    text = "a\0b\x1b[31m\ud800\uffff<script>&'\"" + "x" * 10_000
    outcome = operation_outcome([Issue("value", text)])

    assert len(outcome["issue"][0]["diagnostics"]) < 2_100
    assert xml_format.parse(xml_format.serialise(outcome)) == outcome
    assert json_format.parse(json_format.serialise(outcome)) == outcome


def test_a_flood_of_issues_is_cut() -> None:
    outcome = operation_outcome([Issue("value", "x")] * 1_000)

    assert len(outcome["issue"]) == 201
    assert "800 more" in outcome["issue"][-1]["diagnostics"]
