"""EHR_DEPTH_LIMIT holds alike for everything that comes in, and never for what is stored."""

import base64
import json
from typing import Any

import pytest

from fhir_profiles import xml_format
from tests import given
from tests.client import Client, expect, outcome

DEEPEST = 200
XML = "application/fhir+xml"


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_DEPTH_LIMIT": str(DEEPEST)}


def _deep(end: Any = "the end") -> dict[str, Any]:
    """Return a Patient of exactly DEEPEST levels, none of them a list: recursion at its worst."""
    inner: dict[str, Any] = {"display": end}
    for number in range(2, DEEPEST - 1):
        inner = {"identifier": inner} if number % 2 else {"assigner": inner}
    return given.patient(managingOrganization={"identifier": inner})


def _depth(value: Any) -> int:
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return 0
    return 1 + max(map(_depth, value.values()), default=0)


def test_the_deepest_document_goes_in_and_out_in_both_formats(client: Client) -> None:
    sent = _deep()
    assert _depth(sent) == DEEPEST

    made = client.create(sent)
    as_xml = client.get(f"Patient/{made['id']}", Accept=XML)
    assert as_xml.status_code == 200
    again = client.request(
        "PUT", f"Patient/{made['id']}", as_xml.get_data(), content_type=f"{XML}; charset=utf-8"
    )

    found = expect(again, 200)
    assert found["managingOrganization"] == sent["managingOrganization"]
    assert client.get(f"Patient/{made['id']}?_pretty=true").status_code == 200
    assert client.get(f"Patient/{made['id']}?_elements=name").status_code == 200
    client.update({**found, "gender": "male"})
    assert client.read(f"Patient/{made['id']}/_history?_summary=true")["total"] == 3
    assert client.get(f"Patient/{made['id']}/$everything?_pretty=true").status_code == 200
    assert client.get("Patient?gender=male&_pretty=true", Accept=XML).status_code == 200


def test_every_patch_may_touch_the_deepest_document(client: Client) -> None:
    path = f"Patient/{client.create(_deep())['id']}"

    json_patch = [{"op": "replace", "path": "/gender", "value": "male"}]
    expect(client.patch(path, json_patch), 200)
    expect(client.patch(path, {"gender": "other"}, "application/merge-patch+json"), 200)
    parameters = given.fhirpath_patch("replace", "Patient.gender", valueCode="male")
    expect(client.patch(path, parameters, "application/fhir+json"), 200)
    diff = (
        '<diff xmlns:f="http://hl7.org/fhir">'
        '<replace sel="f:Patient/f:gender/@value">female</replace></diff>'
    )
    found = expect(client.patch(path, diff, "application/xml-patch+xml"), 200)

    assert found["gender"] == "female"
    assert _depth(found) == DEEPEST


def test_no_patch_makes_a_deeper_document(client: Client) -> None:
    path = f"Patient/{client.create(_deep())['id']}"
    where = "/managingOrganization" + "/identifier/assigner" * ((DEEPEST - 2) // 2)
    pointer = f"{where}/identifier"

    answer = client.patch(path, [{"op": "add", "path": pointer, "value": {"value": "1"}}])

    assert answer.status_code == 422
    assert str(DEEPEST) in outcome(answer)[0]["diagnostics"]


def test_operations_take_the_deepest_document(client: Client) -> None:
    path = f"Patient/{client.create(_deep())['id']}"
    meta = {"tag": [{"system": "urn:t", "code": "x"}]}
    parameter = {"name": "meta", "valueMeta": meta}

    for name in ("$meta-add", "$meta-delete"):
        body = {"resourceType": "Parameters", "parameter": [parameter]}
        expect(client.post(f"{path}/{name}", body), 200)
    assert "tag" not in client.read(f"{path}/$meta")["parameter"][0]["valueMeta"]
    for answer in (
        client.get(f"{path}/$validate"),
        client.post("Patient/$validate", _deep()),
        client.post("Patient/$validate?mode=create", _deep()),
    ):
        assert {issue["severity"] for issue in expect(answer, 200)["issue"]} == {"information"}


def test_a_bundle_takes_documents_as_deep_as_its_frame_leaves(client: Client) -> None:
    inner = _deep()["managingOrganization"]["identifier"]["assigner"]["identifier"]["assigner"]
    criteria = "identifier=urn:x|7"
    sent = given.patient(
        managingOrganization=inner, identifier=[{"system": "urn:x", "value": "7"}], id="mary"
    )

    client.transact(given.transaction(given.entry(sent, method="PUT", url=f"Patient?{criteria}")))
    patch = json.dumps([{"op": "replace", "path": "/gender", "value": "male"}]).encode()
    carrier = given.binary(base64.b64encode(patch).decode(), "application/json-patch+json")
    answer = client.transact(
        given.transaction(given.entry(carrier, method="PATCH", url="Patient/mary"))
    )

    assert answer["entry"][0]["response"]["status"] == "200 OK"
    assert client.read("Patient/mary")["gender"] == "male"


def test_a_fault_in_the_deepest_place_is_told_with_that_place(client: Client) -> None:
    answer = client.post("Patient", _deep(end=5))

    assert answer.status_code == 400
    where = outcome(answer)[0]["expression"][0]
    assert where.startswith("Patient.managingOrganization" + ".identifier.assigner" * 90)


def test_deeper_documents_are_refused_alike(client: Client) -> None:
    inner = {"identifier": {"assigner": _deep()["managingOrganization"]}}
    too_deep = given.patient(managingOrganization=inner)

    for answer in (
        client.post("Patient", too_deep),
        client.post("Patient/$validate", too_deep),
        client.patch("Patient/x", too_deep, "application/merge-patch+json"),
        client.post("", given.transaction(too_deep)),
        client.request("POST", "Patient", xml_format.serialise(too_deep), content_type=XML),
    ):
        assert answer.status_code == 400
        assert f"deeper than {DEEPEST} levels" in outcome(answer)[0]["diagnostics"]
