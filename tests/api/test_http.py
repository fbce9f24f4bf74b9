"""HTTP against the real record: formats, conditions, preferences, tokens and broken requests."""

import time
from typing import TYPE_CHECKING

import pytest

from auth import tokens
from fhir_profiles import json_format, xml_format
from tests.client import Client, expect, outcome

if TYPE_CHECKING:
    from ehr.record import Record

JSON = "application/fhir+json"
XML = "application/fhir+xml"
PATIENT = b'{"resourceType":"Patient","active":true,"birthDate":"1950-02-01"}'


def test_json_in_xml_out_and_back(client: Client) -> None:
    made = client.create(json_format.parse(PATIENT))
    path = f"Patient/{made['id']}"

    as_xml = client.get(path, Accept=XML)
    again = client.request("PUT", path, as_xml.data, content_type=XML)

    assert as_xml.content_type == "application/fhir+xml; charset=utf-8"
    assert xml_format.parse(as_xml.data)["birthDate"] == "1950-02-01"
    assert again.status_code == 200
    assert expect(again, 200)["birthDate"] == "1950-02-01"


@pytest.mark.parametrize("form", ["json", "xml"])
def test_pretty_text_ends_its_last_line(client: Client, form: str) -> None:
    path = f"Patient/{client.create(json_format.parse(PATIENT))['id']}?_format={form}"

    pretty = client.get(f"{path}&_pretty=true").get_data()
    plain = client.get(path).get_data()

    assert pretty.endswith(b"\n")
    assert not pretty.endswith(b"\n\n")
    assert not plain.endswith(b"\n")


def test_a_read_that_the_caller_has_already(client: Client) -> None:
    answer = client.post("Patient", PATIENT)
    path = f"Patient/{expect(answer, 201)['id']}"

    by_tag = client.get(path, If_None_Match=answer.headers["ETag"])
    by_time = client.get(path, If_Modified_Since=answer.headers["Last-Modified"])

    assert (by_tag.status_code, by_tag.data) == (304, b"")
    assert by_time.status_code == 304
    assert client.get(path, If_None_Match='W/"9"').status_code == 200


def test_location_leads_to_the_version(client: Client) -> None:
    answer = client.post("Patient", PATIENT)

    place = answer.headers["Location"].removeprefix("http://localhost")
    assert client.get(place).data == answer.data


def test_minimal_and_outcome(client: Client) -> None:
    minimal = client.post("Patient", PATIENT, Prefer="return=minimal")
    told = client.post("Patient", PATIENT, Prefer="return=OperationOutcome")

    assert (minimal.status_code, minimal.data) == (201, b"")
    assert minimal.headers["Location"]
    assert outcome(told)[0]["severity"] == "information"


def test_head_and_summary(client: Client) -> None:
    made = client.create(json_format.parse(PATIENT))
    path = f"Patient/{made['id']}"

    head = client.request("HEAD", path)
    part = client.read(f"{path}?_elements=active")

    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == client.get(path).headers["Content-Length"]
    assert "birthDate" not in part


def test_tokens_open_and_close_the_door(record: "Record", client: Client) -> None:
    now = int(time.time() * 1000)
    token = record.database.write(
        lambda connection: tokens.create(connection, kind="operator", name="x", now=now)
    )
    operator = Client(client.flask, token)

    assert Client(client.flask, None).get("Patient").status_code == 401
    assert operator.get("Patient/nobody").status_code == 404
    assert operator.post("Patient", PATIENT).status_code == 403
    record.database.write(lambda connection: tokens.revoke(connection, token, now=now))
    assert operator.get("Patient/nobody").status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/fhir/metadata"])
def test_what_is_public(client: Client, path: str) -> None:
    assert Client(client.flask, None).get(path).status_code == 200


BROKEN = [
    ("POST", "Patient", b"", JSON, 400),
    ("POST", "Patient", b"{", JSON, 400),
    ("POST", "Patient", b'{"resourceType":"Patient","active":true,"active":true}', JSON, 400),
    ("POST", "Patient", b'{"resourceType":"Patient"}{}', JSON, 400),
    ("POST", "Patient", b"[" * 100_000, JSON, 400),
    ("POST", "Patient", b'{"a":' * 50_000, JSON, 400),
    ("POST", "Patient", b'{"resourceType":"Patient","gender":"\xff"}', JSON, 400),
    ("POST", "Patient", b'{"resourceType":"Patient","gender":"\\u0000"}', JSON, 400),
    ("POST", "Patient", b'{"resourceType":"Patient","gender":"\\ud800"}', JSON, 400),
    ("POST", "Patient", b'{"resourceType":"Observation"}', JSON, 400),
    ("POST", "Patient", b"<Patient xmlns='http://hl7.org/fhir'>", XML, 400),
    ("POST", "Patient", b"<!DOCTYPE a [<!ENTITY b 'c'>]><Patient>&b;</Patient>", XML, 400),
    ("POST", "Patient", PATIENT, "text/plain", 415),
    ("POST", "Patient", PATIENT, "application/fhir+json; charset=utf-16", 415),
    ("PUT", "Patient/a_b", PATIENT, JSON, 400),
    ("PUT", "Patient/" + "x" * 65, PATIENT, JSON, 400),
    ("PATCH", "Patient/1", b"[]", "text/plain", 415),
    ("POST", "", b'{"resourceType":"Bundle","type":"searchset"}', JSON, 400),
    ("GET", "Patient/%00", None, JSON, 400),
    ("GET", "Patient?name=%C3", None, JSON, 400),
    ("GET", "Patient?_format=turtle", None, JSON, 406),
    ("GET", "patient", None, JSON, 404),
    ("GET", "Patient/1/$fly", None, JSON, 404),
    ("POST", "Observation/$lastn", b"{}", JSON, 501),
    ("DELETE", "metadata", None, JSON, 405),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "status"),
    BROKEN,
    ids=[f"{method} {path[:12]} {(body or b'')[:24]!r}" for method, path, body, _, _ in BROKEN],
)
def test_broken_requests_leave_nothing_behind(
    client: Client, method: str, path: str, body: bytes | None, content_type: str, status: int
) -> None:
    answer = client.request(method, path, body, content_type=content_type)

    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    assert outcome(answer)[0]["diagnostics"]
    assert client.read("_history").get("entry", []) == []
