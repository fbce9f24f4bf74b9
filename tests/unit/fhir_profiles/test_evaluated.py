"""Values that FHIRPath finds for the index: few enough for every write, or none."""

import time
from types import SimpleNamespace

import pytest

from fhir_profiles.evaluated import evaluation

PATIENT = {
    "resourceType": "Patient",
    "name": [{"given": ["Zoe", "Ann"]}],
    "telecom": [{"value": str(number)} for number in range(300)],
}


def test_values_come_by_their_types() -> None:
    rows = SimpleNamespace(failed=[])

    found = evaluation("name.given.select($this & '!') | name.given.count()")(PATIENT, rows)

    assert found == {"string": ["Zoe!", "Ann!"], "integer": [2]}
    assert rows.failed == []


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("name.given.repeat($this & 'a')", id="strings that grow"),
        pytest.param("telecom.select(%resource.telecom.value)", id="too many values"),
        pytest.param(
            "telecom.select(%resource.telecom.select(%resource.telecom.count()))", id="much work"
        ),
    ],
)
def test_what_would_burden_every_write_finds_nothing(expression: str) -> None:
    rows = SimpleNamespace(failed=[])
    start = time.monotonic()

    assert evaluation(expression)(PATIENT, rows) == {}

    assert rows.failed == [expression]
    assert time.monotonic() - start < 10
