"""The oracle of `tests/spec/oracle` against expectations that nobody of this project computed.

FHIR R4 §3.1.1: the shared search cases, and the totals of both Synthea populations. No server.
"""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from tests.shared_data import shared
from tests.spec import synthea
from tests.spec.oracle.search import Oracle

# Judged "by the R4 text" in the shared cases, but not by its words: the tenth of a microsecond
# from 23:59:59.9999999 to midnight belongs to 1979-12-31, so "the range above the search value
# intersects … with the range of the target value". No clock of ours tells such times apart.
FINER_THAN_CLOCKS = "Observation?code=ms-date&date=ge1979-12-31T23:59:59.9999999Z"


def _encoded(path: str, query: str) -> str:
    return f"{path}?{quote(query, safe='=&%:/,$')}"


def _request(case: dict[str, Any]) -> str:
    path, _, query = case["request"].partition("?")
    return _encoded(path, case.get("body") or case.get("form") or query)


def _oracle(source: str) -> tuple[Oracle, dict[str, Any]]:
    lines = shared(f"search-cases/{source}/fixtures.ndjson").read_text("utf-8").splitlines()
    resources = [json.loads(line, parse_float=Decimal) for line in lines]
    return Oracle(resources), json.loads(shared(f"search-cases/{source}/cases.json").read_text())


@pytest.mark.parametrize("source", ["northside", "ms-fhir-server-facts"])
def test_every_shared_case_is_answered_as_expected(source: str) -> None:
    oracle, data = _oracle(source)
    wrong = []

    for case in data["cases"]:
        answer, expected = oracle.search(_request(case)), case["expect"]
        right = len(answer.matches) == expected.get("total", len(answer.matches))
        if not expected.get("noEntries"):
            right = right and answer.matches == set(expected["matches"])
        right = right and answer.included == set(expected.get("includes", ()))
        if expected.get("ordered"):
            right = right and answer.is_in_order(expected["matches"])
        if not right:
            wrong.append((case["id"], case["request"], sorted(answer.matches), expected))

    assert wrong == []


def test_where_another_server_leaves_the_text_the_oracle_keeps_to_it() -> None:
    oracle, data = _oracle("ms-fhir-server-facts")
    cases = [one for one in data["contested"] if one["request"] != FINER_THAN_CLOCKS]

    found = {one["request"]: sorted(oracle.search(_request(one)).matches) for one in cases}

    assert found == {one["request"]: sorted(one["byTheR4Text"]) for one in cases}


def test_an_order_is_an_order_only_with_every_match_once() -> None:
    people = [
        {"resourceType": "Patient", "id": name, **more}
        for name, more in {
            "old": {"birthDate": "1930-01"},
            "young": {"birthDate": "1990"},
            "unknown": {},
        }.items()
    ]
    answer = Oracle(people).search("Patient?_sort=-birthdate")

    right = ["Patient/young", "Patient/old", "Patient/unknown"]
    assert answer.is_in_order(right)
    assert not answer.is_in_order(right[:2])
    assert not answer.is_in_order([*right, "Patient/unknown"])
    assert not answer.is_in_order(["Patient/unknown", *right[:2]])


@pytest.mark.slow
@pytest.mark.parametrize("population", [synthea.OLD, synthea.NEW])
def test_the_totals_of_synthea_are_those_counted_from_the_files(population: str) -> None:
    oracle = Oracle(_loaded(population))
    wrong = {}

    for request, total in synthea.expected(population):
        path, _, query = request.partition("?")
        found = len(oracle.search(_encoded(path, query)).matches)
        if found != total:
            wrong[request] = (found, total)

    assert wrong == {}


def _loaded(population: str) -> list[synthea.Resource]:
    """Return the resources of a population as a server has them: new ids, references led on."""
    resources: list[synthea.Resource] = []
    places: dict[str, str] = {}
    for _, data in synthea.bundles(population, synthea.names(population)):
        for entry in json.loads(data, parse_float=Decimal)["entry"]:
            resource = entry["resource"] | {"id": str(len(resources))}
            resources.append(resource)
            name = f"{resource['resourceType']}/{resource['id']}"
            places[entry["fullUrl"]] = name
            for condition in _conditions(resource):
                places[condition] = name
    return [synthea.relinked(each, places) for each in resources]


def _conditions(resource: synthea.Resource) -> list[str]:
    identifiers = resource.get("identifier", ())
    if isinstance(identifiers, dict):
        return []
    return [
        f"{resource['resourceType']}?identifier={one.get('system')}|{one.get('value')}"
        for one in identifiers
    ]
