"""What the server defines itself can be read where the CapabilityStatement says it is."""

from typing import Any

import pytest

from ehr.interactions.own_operations import DEFINITIONS
from ehr.operations.everything_asked import NAMES
from fhir_profiles.own_codes import OWN_CODES, value_set_url
from fhir_profiles.own_names import REVIEW_OUTCOME
from fhir_profiles.validator import validate
from tests import given
from tests.client import Client, expect, outcome

OWN = "OperationDefinition/care-everything"


def _offered(client: Client) -> set[tuple[str, str]]:
    rest = client.read("metadata")["rest"][0]
    return {
        (resource["type"], operation["definition"])
        for resource in rest["resource"]
        for operation in resource.get("operation", ())
        if operation["name"] == "everything"
    }


def test_each_own_definition_is_where_the_statement_says(client: Client) -> None:
    own = {(type, url) for type, url in _offered(client) if not url.startswith("http://hl7.org")}

    assert {type for type, _ in own} == {"CarePlan", "CareTeam", "EpisodeOfCare"}
    for type, url in own:
        found = expect(client.get(url.removeprefix("http://localhost")), 200)
        assert found["url"] == url
        assert type in found["resource"]
        assert validate(found) == []


@pytest.mark.parametrize("code", sorted(DEFINITIONS))
def test_operations_on_access_are_defined_where_they_are_offered(client: Client, code: str) -> None:
    found = client.read(f"OperationDefinition/{code}")

    [type] = found["resource"]
    rest = client.read("metadata")["rest"][0]
    [offered] = [one for one in rest["resource"] if one["type"] == type]
    assert {"name": code, "definition": found["url"]} in offered["operation"]
    assert validate(found) == []


def test_it_names_the_parameters_there_are(client: Client) -> None:
    found = client.read(OWN)

    names = {one["name"] for one in found["parameter"] if one["use"] == "in"}
    assert names == NAMES - {"_cursor"}


def test_it_is_read_like_any_resource(client: Client) -> None:
    assert client.get(OWN, Accept="application/fhir+xml").status_code == 200
    assert client.request("HEAD", OWN).status_code == 200
    assert set(client.read(f"{OWN}?_elements=name")) >= {"name", "kind", "meta"}
    answer = client.transact(given.batch(given.entry(method="GET", url=OWN)))
    assert answer["entry"][0]["resource"] == client.read(OWN)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_nobody_changes_it(client: Client, method: str) -> None:
    body: Any = {**client.read(OWN), "name": "Mine"} if method == "PUT" else None
    body = [] if method == "PATCH" else body
    kind = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"

    answer = client.request(method, OWN, body, content_type=kind)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.read(OWN)["name"] == "CareEverything"


def test_nobody_changes_it_in_a_transaction(client: Client) -> None:
    entry = given.entry(method="DELETE", url=OWN)

    answer = client.post("", given.transaction(given.patient(), entry))

    assert answer.status_code == 405
    assert outcome(answer)[0]["expression"] == ["Bundle.entry[1]"]


def test_a_caller_who_has_it_is_told_so(client: Client) -> None:
    answer = client.get(OWN)
    tag, date = answer.headers["ETag"], answer.headers["Last-Modified"]

    again = client.get(OWN, If_None_Match=tag)
    assert (again.status_code, again.headers["ETag"], again.data) == (304, tag, b"")
    assert client.get(OWN, If_Modified_Since=date).status_code == 304
    assert client.get(OWN, If_Match='W/"7"').status_code == 412
    meta = client.read(OWN)["meta"]
    assert f'W/"{meta["versionId"]}"' == tag
    assert meta["lastUpdated"].startswith("2026-11-23T00:00:00")


def test_its_only_version_is_its_history(client: Client) -> None:
    history = client.read(f"{OWN}/_history")

    assert (history["type"], history["total"]) == ("history", 1)
    assert validate(history) == []
    [entry] = history["entry"]
    assert entry["resource"] == client.read(OWN) == client.read(f"{OWN}/_history/1")
    assert entry["response"]["etag"] == client.get(OWN).headers["ETag"]
    assert entry["fullUrl"].endswith(OWN)
    assert client.get(f"{OWN}/_history/2").status_code == 404
    assert client.get(f"{OWN}/_history?nonsense=1").status_code == 400
    assert "entry" not in client.read(f"{OWN}/_history?_since=2030-01-01")


@pytest.mark.parametrize("type", ["CodeSystem", "ValueSet"])
@pytest.mark.parametrize("system", sorted(OWN_CODES))
def test_own_codes_are_served(client: Client, type: str, system: str) -> None:
    id = OWN_CODES[system].id
    found = client.read(f"{type}/{id}")

    assert (found["status"], validate(found)) == ("active", [])
    assert found["url"] == (system if type == "CodeSystem" else value_set_url(system))
    answer = client.put(f"{type}/{id}", found)
    assert answer.status_code == 405
    assert f"{type}/{id}" in outcome(answer)[0]["diagnostics"]
    assert client.get(f"{type}/{id}x").status_code == 404


def test_a_code_system_of_ours_lists_each_code_with_its_words(client: Client) -> None:
    found = client.read("CodeSystem/review-outcome")

    assert {one["code"]: one["display"] for one in found["concept"]} == {
        "justified": "Justified",
        "not-justified": "Not justified",
        "needs-discussion": "Needs discussion",
    }
    assert found["valueSet"] == client.read("ValueSet/review-outcome")["url"]


@pytest.mark.parametrize(("code", "parameter"), [("break-glass", "reason"), ("review", "outcome")])
def test_operations_say_which_codes_they_take(client: Client, code: str, parameter: str) -> None:
    definition = client.read(f"OperationDefinition/{code}")

    [asked] = [one for one in definition["parameter"] if one["name"] == parameter]
    url = asked["binding"]["valueSet"]
    named = client.read(f"ValueSet/{url.rpartition('/')[2]}")
    assert named["url"] == url


def test_searches_know_own_value_sets(client: Client) -> None:
    system = OWN_CODES[REVIEW_OUTCOME].url
    status = {"coding": [{"system": system, "code": "justified"}]}
    made = client.create(
        {"resourceType": "Task", "status": "completed", "intent": "order", "businessStatus": status}
    )
    client.create({"resourceType": "Task", "status": "completed", "intent": "order"})

    found = client.read(f"Task?business-status:in={value_set_url(REVIEW_OUTCOME)}")
    assert [one["resource"]["id"] for one in found["entry"]] == [made["id"]]
