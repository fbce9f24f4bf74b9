"""patch (R4 §3.1.0.7): four kinds of patch, by id and by condition; a bad one changes nothing."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests import given
from tests.client import Client, expect, outcome

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
XML_PATCH = "application/xml-patch+xml"
FHIR_JSON = "application/fhir+json"
FHIR_XML = "application/fhir+xml"

_FHIRPATH = given.fhirpath_patch("replace", "Patient.gender", valueCode="male")
_FHIRPATH_XML = (
    '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>'
    '<part><name value="type"/><valueCode value="replace"/></part>'
    '<part><name value="path"/><valueString value="Patient.gender"/></part>'
    '<part><name value="value"/><valueCode value="male"/></part></parameter></Parameters>'
)
_XML = (
    '<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:gender/@value">male</replace>'
    "</diff>"
)
_JSON = json.dumps([{"op": "replace", "path": "/gender", "value": "male"}])

KINDS = [
    pytest.param(_JSON, JSON_PATCH, id="json patch"),
    pytest.param('{"gender":"male"}', MERGE_PATCH, id="merge patch"),
    pytest.param(_JSON, "application/json", id="json patch under the plain name"),
    pytest.param('{"gender":"male"}', "application/json", id="merge patch under the plain name"),
    pytest.param(_XML, XML_PATCH, id="xml patch"),
    pytest.param(json.dumps(_FHIRPATH), FHIR_JSON, id="fhirpath patch"),
    pytest.param(_FHIRPATH_XML, FHIR_XML, id="fhirpath patch in xml"),
]


@pytest.mark.parametrize(("body", "kind"), KINDS)
def test_a_patch_makes_the_next_version(client: Client, body: str, kind: str) -> None:
    extension = [{"url": "urn:x", "valueDecimal": Decimal("1.50")}]
    made = client.create(given.patient(extension=extension))

    answer = client.patch(f"Patient/{made['id']}", body, kind)

    after = expect(answer, 200)
    assert after == made | {"gender": "male", "meta": after["meta"]}
    assert answer.headers["ETag"] == 'W/"2"'
    assert str(after["extension"][0]["valueDecimal"]) == "1.50"
    assert client.read(f"Patient/{made['id']}") == after
    assert client.read("Patient?gender=male&_summary=count")["total"] == 1
    assert client.read("Patient?gender=female&_summary=count")["total"] == 0


def test_a_patch_that_changes_nothing_makes_no_version(client: Client) -> None:
    made = client.create(given.patient())

    expect(client.patch(f"Patient/{made['id']}", '{"gender":"female"}', MERGE_PATCH), 200)

    assert client.read(f"Patient/{made['id']}/_history")["total"] == 1


def test_preconditions(client: Client) -> None:
    path = f"Patient/{client.create(given.patient())['id']}"

    assert client.patch(path, _JSON, If_Match='W/"2"').status_code == 412
    assert client.patch(path, _JSON, If_Match='W/"1"').status_code == 200


def test_nothing_to_patch(client: Client) -> None:
    path = f"Patient/{client.create(given.patient())['id']}"
    client.delete(path)

    assert client.patch(path, _JSON).status_code == 410
    assert client.patch("Patient/nobody", _JSON).status_code == 404


def test_conditional_patch(client: Client) -> None:
    client.create(given.patient(identifier=[{"system": "urn:x", "value": "7"}]))

    none = client.patch("Patient?identifier=urn:x|8", _JSON)
    one = client.patch("Patient?identifier=urn:x|7", _JSON)
    client.create(given.patient(identifier=[{"system": "urn:x", "value": "7"}]))
    several = client.patch("Patient?identifier=urn:x|7", _JSON)
    everything = client.patch("Patient", _JSON)

    assert expect(one, 200)["gender"] == "male"
    assert [none.status_code, several.status_code, everything.status_code] == [404, 412, 412]


def test_a_patch_may_file_but_not_move(client: Client) -> None:
    mary, anna = client.create(given.patient()), client.create(given.patient("Anna"))
    made = client.create(given.observation(mary))
    move = [{"op": "replace", "path": "/subject/reference", "value": f"Patient/{anna['id']}"}]

    assert client.patch(f"Observation/{made['id']}", move).status_code == 422
    assert client.read(f"Observation/{made['id']}") == made


BAD: list[Any] = [
    ("[{", JSON_PATCH, {400}),
    ("{}", JSON_PATCH, {400, 422}),
    ("7", JSON_PATCH, {400, 422}),
    ("", JSON_PATCH, {400}),
    ('[{"op":"fly","path":"/gender"}]', JSON_PATCH, {400, 422}),
    ('[{"op":"remove","path":"/nothing"}]', JSON_PATCH, {400, 422}),
    ('[{"op":"replace","path":"/id","value":"other"}]', JSON_PATCH, {422}),
    ('[{"op":"remove","path":"/resourceType"}]', JSON_PATCH, {400, 422}),
    ('[{"op":"replace","path":"","value":7}]', JSON_PATCH, {400, 422}),
    ('[{"op":"replace","path":"","value":null}]', JSON_PATCH, {400, 422}),
    ('[{"op":"test","path":"/gender","value":"male"}]', JSON_PATCH, {422}),
    ('[{"op":"replace","path":"/gender","value":"F"}]', JSON_PATCH, {400}),
    ('[{"op":"add","path":"/colour","value":"red"}]', JSON_PATCH, {400}),
    ('{"gender":"F"}', MERGE_PATCH, {400}),
    (_XML.replace("f:gender/@value", "f:gender").replace("male<", "<f:x/><"), XML_PATCH, {400}),
    (json.dumps(_FHIRPATH).replace('"male"', '"F"'), FHIR_JSON, {400}),
    ("[]", MERGE_PATCH, {400, 422}),
    ('"x"', MERGE_PATCH, {400, 422}),
    ("<diff><replace", XML_PATCH, {400, 422}),
    ("<diff><fly/></diff>", XML_PATCH, {400, 422}),
    ('<diff><remove sel="//["/></diff>', XML_PATCH, {400, 422}),
    ("<!DOCTYPE a [<!ENTITY b 'c'>]><diff>&b;</diff>", XML_PATCH, {400, 422}),
    ('{"resourceType":"Patient"}', FHIR_JSON, {400, 422}),
    ('{"resourceType":"Parameters","parameter":[{"name":"operation"}]}', FHIR_JSON, {400, 422}),
    (json.dumps(_FHIRPATH).replace("Patient.gender", "Patient.("), FHIR_JSON, {400, 422}),
    ('"x"', "application/json", {400}),
    (_JSON, "text/plain", {415}),
]


@pytest.mark.parametrize(
    ("body", "kind", "statuses"), BAD, ids=[f"{kind} {body[:24]}" for body, kind, _ in BAD]
)
def test_a_bad_patch_changes_nothing(
    client: Client, body: str, kind: str, statuses: set[int]
) -> None:
    made = client.create(given.patient())

    answer = client.patch(f"Patient/{made['id']}", body, kind)

    assert answer.status_code in statuses, answer.get_data(as_text=True)
    assert outcome(answer)[0]["diagnostics"]
    assert client.read(f"Patient/{made['id']}") == made
