"""Whatever an entry of a transaction is refused for: the entry is named and nothing is done."""

import base64
import json
from typing import Any

import pytest

from tests import given
from tests.client import Client, outcome


def _patch(url: str, patch: Any, kind: str = "application/json-patch+json") -> given.Resource:
    text = patch if isinstance(patch, str) else json.dumps(patch)
    carrier = given.binary(base64.b64encode(text.encode()).decode(), kind)
    return given.entry(carrier, method="PATCH", url=url)


def _put(url: str, resource: given.Resource, **request: str) -> given.Resource:
    return given.entry(resource, method="PUT", url=url, **request)


def _get(url: str) -> given.Resource:
    return given.entry(method="GET", url=url)


MARY = given.patient(id="mary")
NO_PATCH = given.fhirpath_patch("fly", "Patient")
MISSING = given.fhirpath_patch("replace", "Patient.photo", valueString="x")
REFUSED = {
    "a patch of nothing": (404, _patch("Patient/nobody", [])),
    "a patch of what is gone": (410, _patch("Patient/gone", [])),
    "a patch that is no JSON": (400, _patch("Patient/mary", "{")),
    "a patch that is no list": (400, _patch("Patient/mary", {})),
    "a patch whose test fails": (
        422,
        _patch("Patient/mary", [{"op": "test", "path": "/gender", "value": "x"}]),
    ),
    "a patch to what is invalid": (
        400,
        _patch("Patient/mary", [{"op": "add", "path": "/gender", "value": "x"}]),
    ),
    "a patch of the id": (422, _patch("Patient/mary", [{"op": "remove", "path": "/id"}])),
    "a patch of no known kind": (415, _patch("Patient/mary", [], "text/plain")),
    "a patch that is no XML": (400, _patch("Patient/mary", "<a", "application/xml-patch+xml")),
    "parameters that are no XML": (400, _patch("Patient/mary", "<a", "application/fhir+xml")),
    "parameters that are no JSON": (400, _patch("Patient/mary", "[", "application/fhir+json")),
    "no FHIRPath Patch": (400, given.entry(NO_PATCH, method="PATCH", url="Patient/mary")),
    "a path to nothing": (422, given.entry(MISSING, method="PATCH", url="Patient/mary")),
    "a patch without match": (404, _patch("Patient?identifier=urn:x|nobody", [])),
    "a patch with several matches": (412, _patch("Patient?gender=female", [])),
    "another version": (412, _put("Patient/mary", MARY, ifMatch='W/"9"')),
    "another version of a match": (412, _put("Patient?_id=mary", MARY, ifMatch='W/"9"')),
    "what is there already": (412, _put("Patient/mary", MARY, ifNoneMatch="*")),
    "an entity tag without end": (400, _put("Patient/mary", MARY, ifMatch='W/"9')),
    "an unknown condition": (400, _put("Patient?nonsense=1", given.patient())),
    "a condition on no date": (400, _put("Patient?birthdate=1", given.patient())),
    "no condition": (412, _put("Patient", given.patient())),
    "an unknown ifNoneExist": (400, given.entry(given.patient(), ifNoneExist="nonsense=1")),
    "an ifNoneExist of nothing": (412, given.entry(given.patient(), ifNoneExist="_count=1")),
    "an ifNoneExist of several": (412, given.entry(given.patient(), ifNoneExist="gender=female")),
    "a deletion of several": (412, given.entry(method="DELETE", url="Patient?gender=female")),
    "a deletion by nonsense": (400, given.entry(method="DELETE", url="Patient?nonsense=1")),
    "another id": (400, _put("Patient/y", MARY)),
    "another type": (400, _put("Observation/mary", MARY)),
    "an id that is none": (400, _put("Patient/a_b", given.patient(id="a_b"))),
    "a read of nothing": (404, _get("Patient/nobody")),
    "a search for nonsense": (400, _get("Patient?nonsense=1")),
    "a history since nonsense": (400, _get("Patient/mary/_history?_since=x")),
    "elements of nonsense": (400, _get("Patient/mary?_elements=nonsense")),
    "everything from nonsense": (400, _get("Patient/mary/$everything?start=x")),
    "an operation without input": (
        400,
        given.entry({"resourceType": "Parameters"}, url="Patient/mary/$meta-add"),
    ),
    "an unknown operation": (404, _get("Patient/mary/$fly")),
    "an unknown type": (404, _get("Nothing")),
    "a wrong method": (405, given.entry(method="DELETE", url="Patient/mary/_history")),
    "a condition that nobody meets": (
        412,
        given.entry(given.observation("Patient?identifier=urn:x|nobody")),
    ),
    "a condition that several meet": (412, given.entry(given.observation("Patient?gender=female"))),
    "a reference by nonsense": (400, given.entry(given.observation("Patient?nonsense=1"))),
    "no code": (400, given.entry(given.patient(gender=5))),
    "no resource": (400, given.entry(method="POST", url="Patient")),
    "another id than the match": (400, _put("Patient?_id=mary", given.patient(id="other"))),
    "an id that is taken": (409, _put("Patient?identifier=urn:x|nobody", MARY)),
    "nobody as context": (
        422,
        given.entry(given.binary(securityContext=given.reference("Patient/nobody"))),
    ),
    "a Bundle inside": (400, given.entry(given.batch(MARY), method="POST", url="/")),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_the_entry_is_named_and_nothing_is_done(client: Client, refused: str) -> None:
    for id in ("mary", "anna", "gone"):
        client.update(given.patient(id=id))
    client.delete("Patient/gone")
    status, entry = REFUSED[refused]

    answer = client.post("", given.transaction(given.entry(given.practitioner()), entry))

    assert answer.status_code == status, outcome(answer)
    for issue in outcome(answer):
        assert issue["expression"][0].startswith("Bundle.entry[1]"), issue
        assert issue["diagnostics"]
    assert client.read("Practitioner?_summary=count")["total"] == 0


@pytest.mark.parametrize("entry", [{"resource": given.patient()}, {"fullUrl": given.urn()}, {}])
def test_the_frame_of_an_entry_is_judged_as_validation_judges_it(
    client: Client, entry: dict[str, Any]
) -> None:
    bundle = given.transaction(given.entry(given.practitioner()), entry)

    refused = client.post("", bundle)
    judged = outcome(client.post("Bundle/$validate", bundle))

    assert refused.status_code == 400
    assert outcome(refused) == [one for one in judged if one["severity"] == "error"]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("Patient?_id=mary", "Patient/mary is not at version 9: it is at version 1."),
        (
            "Patient?_id=nobody",
            "The Patient that the condition asks for is not at version 9: it is not there.",
        ),
    ],
    ids=["found", "not found"],
)
def test_a_conditional_update_of_another_version_says_what_it_is_about(
    client: Client, url: str, text: str
) -> None:
    client.update(MARY)

    answer = client.put(url, given.patient(), If_Match='W/"9"')

    assert answer.status_code == 412
    assert outcome(answer)[0]["diagnostics"].startswith(text)


def test_fhirpath_patches_may_come_in_a_binary(client: Client) -> None:
    from fhir_profiles import xml_format

    client.update(MARY)
    for gender, kind in ("male", "application/fhir+json"), ("other", "application/fhir+xml"):
        patch = given.fhirpath_patch("replace", "Patient.gender", valueString=gender)
        text = xml_format.serialise(patch).decode() if kind.endswith("xml") else json.dumps(patch)

        client.transact(given.transaction(_patch("Patient/mary", text, kind)))

        assert client.read("Patient/mary")["gender"] == gender
