"""The search conformance cases for single parameters, on each engine, in a patient and across.

Cases with chains, includes, sorting and compartments belong to the tests of the whole search.
"""

import json
from typing import Any

import pytest

from ehr.errors import FhirError
from tests.shared_data import shared
from tests.spec.indexed import indexed

_ELSEWHERE = {"chain", "has", "include", "sort", "compartment", "result"}
# What the search issue adds; until then a clear refusal, never a wrong answer.
_REFUSED = {
    "A-composite-02": "not supported yet",
    "A-composite-03": "not supported yet",
}


@pytest.mark.parametrize("in_patient", [True, False], ids=["in-patient", "across"])
@pytest.mark.parametrize("source", ["northside", "ms-fhir-server-facts"])
def test_every_case_finds_what_r4_says(database_url: str, source: str, in_patient: bool) -> None:
    cases = json.loads(shared(f"search-cases/{source}/cases.json").read_text())
    fixtures = shared(f"search-cases/{source}/fixtures.ndjson").read_text().splitlines()
    wrong = []

    with indexed(database_url, in_patient=in_patient) as record:
        record.load(json.loads(line) for line in fixtures)
        for case in cases["cases"]:
            if case["group"] not in _ELSEWHERE and case["id"] not in _REFUSED:
                found, expected = record.ids(case["request"]), set(case["expect"]["matches"])
                if found != expected:
                    wrong.append((case["id"], case["request"], found ^ expected))
        for case in cases.get("contested", ()):
            found = record.ids(case["request"])
            if found != set(case["byTheR4Text"]):
                wrong.append((case["request"], found))

    assert wrong == []


@pytest.mark.parametrize("case_id", sorted(_REFUSED))
def test_what_is_not_supported_is_refused_by_name(case_id: str) -> None:
    request = _case(case_id)["request"]

    # Refused before any statement runs, so no table is needed.
    with indexed("sqlite://") as record, pytest.raises(FhirError, match=_REFUSED[case_id]):
        record.ids(request)


def _case(case_id: str) -> dict[str, Any]:
    for source in ("northside", "ms-fhir-server-facts"):
        for case in json.loads(shared(f"search-cases/{source}/cases.json").read_text())["cases"]:
            if case["id"] == case_id:
                found: dict[str, Any] = case
                return found
    raise KeyError(case_id)
