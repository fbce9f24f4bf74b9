"""Composite parameters, units and places through the whole API: writes, updates, chains, checks."""

from typing import Any

import pytest

from ehr.bulk.checking import deep_check
from ehr.record import Record
from tests import given
from tests.client import Client, outcome

UCUM = "http://unitsofmeasure.org"
EDINBURGH = {"latitude": 55.9533, "longitude": -3.1883}


def _names(client: Client, query: str) -> list[str]:
    bundle = client.read(query)
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]


def _pressure(systolic: int, diastolic: int) -> dict[str, Any]:
    return given.observation(
        "Patient/mary",
        component=[
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "valueQuantity": {"value": value, "system": UCUM, "code": "mm[Hg]"},
            }
            for code, value in (("8480-6", systolic), ("8462-4", diastolic))
        ],
    ) | {"id": "pressure"}


def _document(id: str, *related: tuple[str, str]) -> dict[str, Any]:
    made = {
        "resourceType": "DocumentReference",
        "id": id,
        "status": "current",
        "subject": {"reference": "Patient/mary"},
        "content": [{"attachment": {"url": "urn:oid:1.2"}}],
        "relatesTo": [{"code": code, "target": {"reference": to}} for code, to in related],
    }
    return {name: value for name, value in made.items() if value}


@pytest.fixture(autouse=True)
def population(client: Client) -> None:
    client.update(given.patient(id="mary"))
    client.update({"resourceType": "Location", "id": "ward", "position": EDINBURGH})
    client.update(_pressure(150, 95))
    client.update(_document("first"))
    client.update(_document("second", ("replaces", "DocumentReference/first")))


def test_rows_of_elements_follow_an_update(client: Client) -> None:
    asked = "Observation?patient=mary&component-code-value-quantity=8480-6$gt140"
    assert _names(client, asked) == ["pressure"]

    client.update(_pressure(120, 150))

    assert _names(client, asked) == []
    assert _names(client, asked.replace("8480-6", "8462-4")) == ["pressure"]


def test_composites_answer_chains_and_has(client: Client) -> None:
    high = f"component-code-value-quantity=8480-6$gt19|{UCUM}|kPa"

    assert _names(client, f"Patient?_has:Observation:patient:{high}") == ["mary"]
    assert _names(client, "DocumentReference?patient=mary&relationship=first$replaces") == [
        "second"
    ]
    assert _names(client, "DocumentReference?relatesto.relationship=first$replaces") == []
    client.update(_document("third", ("appends", "DocumentReference/second")))
    assert _names(client, "DocumentReference?relatesto.relationship=first$replaces") == ["third"]


def test_a_related_document_may_come_later_or_in_the_same_bundle(client: Client) -> None:
    new, old = (f"urn:uuid:11111111-1111-4111-8111-11111111111{n}" for n in (1, 2))
    documents = [
        _document("x", ("replaces", old), ("signs", "DocumentReference/first")),
        _document("y"),
    ]
    answer = client.transact(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "fullUrl": url,
                    "resource": {k: v for k, v in one.items() if k != "id"},
                    "request": {"method": "POST", "url": "DocumentReference"},
                }
                for url, one in zip((new, old), documents, strict=True)
            ],
        }
    )
    ids = [entry["response"]["location"].split("/")[-3] for entry in answer["entry"]]

    assert _names(client, f"DocumentReference?relationship={ids[1]}$replaces") == [ids[0]]
    assert _names(client, f"DocumentReference?relationship={ids[1]}$signs") == []
    assert _names(client, "DocumentReference?relationship=first$signs") == [ids[0]]


def test_near_answers_chains(client: Client) -> None:
    visit = given.encounter("Patient/mary", location=[{"location": {"reference": "Location/ward"}}])
    made = client.create(visit)

    assert _names(client, "Encounter?location.near=55.95|-3.19|1") == [made["id"]]
    assert _names(client, "Encounter?location.near=55|-3|1") == []
    assert "UCUM" in outcome(client.get("Location?near=55|-3|1|leagues"))[0]["diagnostics"]


def test_the_capability_statement_offers_near_and_every_composite(client: Client) -> None:
    (rest,) = client.read("metadata")["rest"]
    offered = {
        f"{one['type']}.{each['name']}": each["type"]
        for one in rest["resource"]
        for each in one["searchParam"]
    }

    assert offered["Location.near"] == "special"
    assert sum(kind == "composite" for kind in offered.values()) == 72


def test_the_deep_check_knows_all_their_rows(client: Client, record: Record) -> None:
    assert deep_check.check(record, lambda _steps, _versions: None).faults == []


def test_a_deleted_place_is_nowhere(client: Client) -> None:
    client.delete("Location/ward")

    assert _names(client, "Location?near=55.95|-3.19|1") == []
