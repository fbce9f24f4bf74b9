"""The search conformance cases for single parameters, on each engine, in a patient and across.

Cases with chains, includes, sorting and compartments belong to the tests of the whole search.
"""

import json

import pytest

from tests.shared_data import shared
from tests.spec.indexed import indexed

_ELSEWHERE = {"chain", "has", "include", "sort", "compartment", "result"}


@pytest.mark.parametrize("in_patient", [True, False], ids=["in-patient", "across"])
@pytest.mark.parametrize("source", ["northside", "ms-fhir-server-facts"])
def test_every_case_finds_what_r4_says(database_url: str, source: str, in_patient: bool) -> None:
    cases = json.loads(shared(f"search-cases/{source}/cases.json").read_text())
    fixtures = shared(f"search-cases/{source}/fixtures.ndjson").read_text().splitlines()
    wrong = []

    with indexed(database_url, in_patient=in_patient) as record:
        record.load(json.loads(line) for line in fixtures)
        for case in cases["cases"]:
            if case["group"] not in _ELSEWHERE:
                found, expected = record.ids(case["request"]), set(case["expect"]["matches"])
                if found != expected:
                    wrong.append((case["id"], case["request"], found ^ expected))
        for case in cases.get("contested", ()):
            found = record.ids(case["request"])
            if found != set(case["byTheR4Text"]):
                wrong.append((case["request"], found))

    assert wrong == []
