"""Which patches ask about content, whatever their form hides."""

import json

import pytest

from ehr.patches.conditions import asks


@pytest.mark.parametrize(
    "patch",
    [
        '[{"op": "te\\u0073t", "path": "/status", "value": "final"}]',
        '{"resourceType": "Parameters", "parameter": [{"name": "operation", "part": '
        '[{"name": "path", "valueString": "Patient.name.where\\u0028use = 1)"}]}]}',
        "<diff><remove sel=\"*/name[use/@value='usual']\"/></diff>",
        '<diff><remove sel="*/name&#91;1]"/></diff>',
        '<Parameters xmlns="http://hl7.org/fhir"><parameter><part>Patient.name.first()',
    ],
)
def test_a_condition_asks(patch: str) -> None:
    assert asks(patch.encode())


def test_another_encoding_is_taken_for_asking() -> None:
    assert asks("<diff/>".encode("utf-16-le"))


@pytest.mark.parametrize(
    "patch",
    [
        json.dumps([{"op": "replace", "path": "/test", "value": "test (urgent)"}]),
        json.dumps({"status": "final"}),
        '<diff><remove sel="*/name[ 2 ]"/></diff>',
        json.dumps({"resourceType": "Parameters", "parameter": [
            {"name": "operation", "part": [{"name": "path", "valueString": "Patient.name[0]"},
                                           {"name": "value", "valueString": "(urgent)"}]}]}),
        "[1, null]",
    ],
)  # fmt: skip
def test_places_and_values_ask_nothing(patch: str) -> None:
    assert not asks(patch.encode())
