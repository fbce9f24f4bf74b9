"""User-access brands: a public Bundle that names this server to people who look for it."""

from typing import TYPE_CHECKING

import pytest

from ehr.app import create_app
from fhir_profiles.validator import validate
from tests.client import Client

if TYPE_CHECKING:
    from ehr.record import Record

BASE = "http://127.0.0.1:8000/fhir"
PATH = "/auth/brands"


@pytest.fixture
def web(record: "Record") -> Client:
    """Give a caller without a token."""
    return Client(create_app(record).test_client(), None)


def _endpoint(address: str, **more: object) -> dict[str, object]:
    return {
        "resourceType": "Endpoint",
        "status": "active",
        "connectionType": {
            "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
            "code": "hl7-fhir-rest",
        },
        "payloadType": [{"text": "any"}],
        "address": address,
        **more,
    }


def test_a_server_of_its_own_is_one_brand(web: Client) -> None:
    answer = web.get(PATH, Origin="https://any.example")

    told = answer.get_json()
    endpoint, organisation = (each["resource"] for each in told["entry"])
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert (told["resourceType"], told["type"]) == ("Bundle", "collection")
    assert told["timestamp"]
    assert endpoint["address"] == BASE
    assert organisation["endpoint"] == [{"reference": f"Endpoint/{endpoint['id']}"}]
    assert [each for each in validate(told) if each.severity in ("error", "fatal")] == []


def test_the_configuration_names_exactly_one_organisation(web: Client) -> None:
    told = web.get("/fhir/.well-known/smart-configuration").get_json()
    brands = web.get(PATH).get_json()

    named = [
        identifier
        for each in brands["entry"]
        for identifier in each["resource"].get("identifier", [])
        if identifier == told["user_access_brand_identifier"]
    ]
    assert told["user_access_brand_bundle"].endswith(PATH)
    assert len(named) == 1


def test_what_has_not_changed_is_not_sent_again(web: Client) -> None:
    tag = web.get(PATH).headers["ETag"]

    assert tag.startswith('W/"')
    assert web.get(PATH, If_None_Match=tag).status_code == 304


def test_organisations_that_name_this_endpoint_are_the_brands(web: Client, client: Client) -> None:
    ours = client.create(_endpoint(BASE))
    reference = {"reference": f"Endpoint/{ours['id']}"}
    organisation = {"resourceType": "Organization", "active": True, "endpoint": [reference]}
    client.create({**organisation, "name": "Northside Practice"})
    client.create({**organisation, "name": "Closed Practice", "active": False})

    told = web.get(PATH).get_json()

    resources = [each["resource"] for each in told["entry"]]
    assert [each.get("name", each.get("address")) for each in resources] == [
        BASE,
        "Shared Care Record",
        "Northside Practice",
    ]
    assert told["timestamp"] == max(
        each["meta"]["lastUpdated"] for each in resources if "meta" in each
    )


def test_the_servers_own_organisation_may_be_in_the_record(web: Client, client: Client) -> None:
    ours = client.create(_endpoint(BASE))
    client.create(
        {
            "resourceType": "Organization",
            "active": True,
            "name": "Region",
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": BASE}],
            "endpoint": [{"reference": f"Endpoint/{ours['id']}"}],
        }
    )

    entries = web.get(PATH).get_json()["entry"]

    assert [each["resource"].get("name") for each in entries] == [None, "Region"]


def test_t32_organisations_of_other_endpoints_are_not_told(web: Client, client: Client) -> None:
    other = client.create(_endpoint("https://other.example/fhir"))
    client.create({"resourceType": "Organization", "active": True, "name": "Secret Clinic"})
    client.create(
        {
            "resourceType": "Organization",
            "active": True,
            "name": "Elsewhere",
            "endpoint": [{"reference": f"Endpoint/{other['id']}"}],
        }
    )

    text = web.get(PATH).get_data(as_text=True)

    assert "Secret Clinic" not in text
    assert "Elsewhere" not in text
    assert "other.example" not in text
