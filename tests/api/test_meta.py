"""$meta, $meta-add and $meta-delete: labels of one resource, and those in use."""

from typing import Any

import pytest

from tests import given
from tests.client import Client, expect, outcome

SYSTEM = "http://example.org/tags"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
PROFILE = "http://example.org/StructureDefinition/person"
BLUE = {"system": SYSTEM, "code": "blue", "display": "Blue"}
GREEN = {"system": SYSTEM, "code": "green"}
RESTRICTED = {"system": CONFIDENTIALITY, "code": "R"}


def sent(**meta: Any) -> dict[str, Any]:
    """Wrap a Meta as the operations take it."""
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def returned(resource: dict[str, Any]) -> dict[str, Any]:
    """Return the Meta that an operation returned; empty where it returned none."""
    assert resource["resourceType"] == "Parameters"
    parameters = resource.get("parameter", [])
    assert [one["name"] for one in parameters] in ([], ["return"])
    meta: dict[str, Any] = parameters[0]["valueMeta"] if parameters else {}
    return meta


def test_meta_of_a_resource_is_that_of_a_read(client: Client) -> None:
    made = client.create(given.patient(meta={"tag": [BLUE], "profile": [PROFILE]}))

    by_get = client.get(f"Patient/{made['id']}/$meta")
    by_post = client.post(f"Patient/{made['id']}/$meta", {"resourceType": "Parameters"})

    assert returned(expect(by_get, 200)) == made["meta"]
    assert by_get.data == by_post.data
    assert by_get.headers["ETag"] == 'W/"1"'


def test_meta_of_what_is_not_there(client: Client) -> None:
    made = client.create(given.patient())
    client.delete(f"Patient/{made['id']}")

    assert client.get("Patient/nobody/$meta").status_code == 404
    assert client.get(f"Patient/{made['id']}/$meta").status_code == 410
    assert client.post(f"Patient/{made['id']}/$meta-add", sent(tag=[BLUE])).status_code == 410


def test_adding_makes_a_version_that_search_finds(client: Client) -> None:
    made = client.create(given.patient(meta={"tag": [GREEN]}))
    path = f"Patient/{made['id']}"

    answer = client.post(f"{path}/$meta-add", sent(tag=[BLUE], security=[RESTRICTED]))

    meta = returned(expect(answer, 200))
    assert meta["versionId"] == "2"
    assert meta["tag"] == [GREEN, BLUE]
    assert meta["security"] == [RESTRICTED]
    read = client.read(path)
    assert read["meta"] == meta
    assert client.read(f"Patient?_tag={SYSTEM}|blue")["entry"][0]["resource"] == read
    assert "meta" in made
    assert client.read(f"{path}/_history/1") == made


def test_adding_what_is_there_changes_nothing(client: Client) -> None:
    made = client.create(given.patient(meta={"tag": [BLUE], "profile": [PROFILE]}))
    again = {"system": SYSTEM, "code": "blue", "display": "Azure", "version": "2"}

    answer = client.post(
        f"Patient/{made['id']}/$meta-add", sent(tag=[again, again], profile=[PROFILE])
    )

    assert returned(expect(answer, 200)) == made["meta"]


def test_deleting_by_system_and_code(client: Client) -> None:
    made = client.create(given.patient(meta={"tag": [BLUE, GREEN], "profile": [PROFILE]}))
    path = f"Patient/{made['id']}"
    gone = {"system": SYSTEM, "code": "blue"}

    first = client.post(f"{path}/$meta-delete", sent(tag=[gone], profile=[PROFILE, "http://x/y"]))
    again = client.post(f"{path}/$meta-delete", sent(tag=[gone]))

    assert returned(expect(first, 200))["tag"] == [GREEN]
    assert "profile" not in returned(expect(first, 200))
    assert again.data == first.data
    assert client.read(f"Patient?_tag={SYSTEM}|blue").get("entry", []) == []
    assert client.read(path)["meta"]["versionId"] == "2"


def test_other_bytes_stay_as_they_were(client: Client) -> None:
    body = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"Gr\\u00f6\\u00dfe"},'
        b'"valueQuantity":{"value":1.50E1}}'
    )
    made = expect(client.post("Observation", body), 201)

    client.post(f"Observation/{made['id']}/$meta-add", sent(tag=[BLUE]))

    stored = client.get(f"Observation/{made['id']}").data
    assert b'"text":"Gr\\u00f6\\u00dfe"' in stored
    assert b'"value":1.50E1' in stored


def test_a_version_may_be_demanded(client: Client) -> None:
    made = client.create(given.patient())

    refused = client.post(f"Patient/{made['id']}/$meta-add", sent(tag=[BLUE]), If_Match='W/"7"')

    assert refused.status_code == 412
    assert client.read(f"Patient/{made['id']}") == made


def test_labels_of_a_large_binary(client: Client) -> None:
    content = bytes(200_000)
    answer = client.request("POST", "Binary", content, content_type="image/png")
    id = answer.headers["Location"].split("/Binary/")[1].split("/")[0]

    expect(client.post(f"Binary/{id}/$meta-add", sent(security=[RESTRICTED])), 200)

    assert client.get(f"Binary/{id}").data == content
    assert client.get(f"Binary/{id}").headers["ETag"] == 'W/"2"'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"resourceType": "Parameters"}, 400),
        ({"resourceType": "Patient"}, 400),
        ({"resourceType": "Parameters", "parameter": {"name": "meta"}}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": 1}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": 1}]}, 400),
        (sent(tag="blue"), 400),
        (sent(profile=[{}]), 400),
        (sent(tag=[{"colour": "blue"}]), 400),
        (sent(profile=[" "]), 400),
    ],
    ids=["none", "other", "no-list", "no-name", "number", "text", "object", "unknown", "blank"],
)
def test_broken_metas_are_refused(client: Client, body: dict[str, Any], status: int) -> None:
    made = client.create(given.patient())

    answer = client.post(f"Patient/{made['id']}/$meta-add", body)

    assert answer.status_code == status, answer.data
    assert outcome(answer)
    assert client.read(f"Patient/{made['id']}") == made


def test_changing_takes_a_post(client: Client) -> None:
    made = client.create(given.patient())

    assert client.get(f"Patient/{made['id']}/$meta-add").status_code == 405


def test_labels_in_use(client: Client) -> None:
    mary = client.create(given.patient(meta={"tag": [BLUE], "profile": [PROFILE]}))
    client.create(given.patient("John", meta={"tag": [BLUE, GREEN]}))
    client.create(given.observation(mary, meta={"security": [RESTRICTED]}))

    of_type = returned(client.read("Patient/$meta"))
    everywhere = returned(client.read("$meta"))

    assert of_type == {"profile": [PROFILE], "tag": [BLUE, GREEN]}
    assert everywhere == {"profile": [PROFILE], "security": [RESTRICTED], "tag": [BLUE, GREEN]}
    assert returned(client.read("Group/$meta")) == {}


def test_labels_of_what_was_deleted_are_not_in_use(client: Client) -> None:
    made = client.create(given.organisation(meta={"tag": [BLUE], "profile": [PROFILE]}))

    client.delete(f"Organization/{made['id']}")

    assert returned(client.read("Organization/$meta")) == {}
