"""Content as large, as deep and as odd as R4 allows: kept and found, or refused; never a fault."""

import secrets
from typing import Any

import pytest

from tests import given
from tests.client import Client, expect, outcome

LONG = secrets.token_urlsafe(2_800)


def _nested(depth: int) -> dict[str, Any]:
    extension: dict[str, Any] = {"url": "http://example.org/leaf", "valueString": "x"}
    for _ in range(depth):
        extension = {"url": "http://example.org/branch", "extension": [extension]}
    return extension


@pytest.mark.parametrize(
    ("system", "value"),
    [("http://example.org/ids", LONG), (f"http://example.org/{LONG}", "1"), (f"urn:{LONG}", LONG)],
    ids=["value", "system", "both"],
)
def test_an_identifier_longer_than_an_index_takes_is_found(
    client: Client, system: str, value: str
) -> None:
    made = client.create(given.patient(identifier=[{"system": system, "value": value}]))
    client.create(given.patient(identifier=[{"system": system, "value": f"{value}x"}]))

    assert _ids(client, f"Patient?identifier={system}|{value}") == [made["id"]]
    assert _ids(client, f"Patient?identifier={value}") == [made["id"]]
    again = client.post(
        "Patient",
        given.patient(identifier=[{"system": system, "value": value}]),
        If_None_Exist=f"identifier={system}|{value}",
    )
    assert expect(again, 200)["id"] == made["id"]


def test_more_references_and_names_than_a_small_number_counts(client: Client) -> None:
    made = client.create(
        {
            "resourceType": "List",
            "status": "current",
            "mode": "working",
            "entry": [{"item": {"reference": f"Basic/{n}"}} for n in range(33_000)],
        }
    )
    assert _ids(client, "List?item=Basic/32999") == [made["id"]]


def test_the_deepest_document_can_be_read_in_every_form(client: Client) -> None:
    made = client.create(given.patient(extension=[_nested(29)]))
    address = f"Patient/{made['id']}"
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": f"{address}/_history"}}],
    }

    for form in ("_format=xml", "_pretty=true", "_summary=data"):
        for place in (f"{address}?", f"{address}/_history?", f"Patient?_id={made['id']}&"):
            assert client.get(f"{place}{form}").status_code == 200, (place, form)
    assert client.request("POST", "?_format=xml", batch).status_code == 200


@pytest.mark.parametrize("text", ["\ufffe", "\uffff"], ids=["FFFE", "FFFF"])
def test_text_that_xml_can_not_carry_is_refused(client: Client, text: str) -> None:
    answer = client.post("Patient", given.patient(text))
    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"][0].startswith("Patient.name[0]")


@pytest.mark.parametrize("escape", ["%zz", "%ff", "%00"])
def test_a_condition_that_can_not_be_read_creates_nothing(client: Client, escape: str) -> None:
    for value in (escape, f"http://example.org|{escape}"):
        answer = client.post("Patient", given.patient(), If_None_Exist=f"identifier={value}")
        assert answer.status_code == 400
    assert client.read("Patient?_summary=count")["total"] == 0


def test_a_condition_in_utf_8_is_read_as_such(client: Client) -> None:
    made = client.create(given.patient(family="Ødegård"))
    sent = "family=Ødegård".encode().decode("latin-1")
    again = client.post("Patient", given.patient(family="Ødegård"), If_None_Exist=sent)
    assert expect(again, 200)["id"] == made["id"]


def _ids(client: Client, search: str) -> list[str]:
    return [entry["resource"]["id"] for entry in client.read(search).get("entry", [])]
