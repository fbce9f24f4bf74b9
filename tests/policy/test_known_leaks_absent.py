"""Leaks of what this server does not offer: GraphQL, subscriptions, exports (L17, L18, L21 to L26).

Nobody is answered, whoever asks and whatever is there. What comes to be offered fails in
`test_leaks_registry.py` until it has tests of its own.
"""

from socket import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.client import Client
from tests.policy.house import House, is_as_unknown, open_house

if TYPE_CHECKING:
    from ehr.record import Record

QUERY = {"query": '{ Patient(id: "john") { name { family } } }'}


@pytest.fixture
def house(record: "Record") -> House:
    return open_house(record)


def callers(house: House) -> tuple[Client, ...]:
    """Return callers of several kinds, one from whom nothing is hidden among them."""
    return house.everything, house.gp, house.consultant, house.mary


def test_l17_graphql_follows_no_reference(house: House) -> None:
    """icanbwell/fhir-server #2437: nested references went past the list of what is allowed."""
    for client in callers(house):
        for path in ("$graphql", "Patient/john/$graphql"):
            for answer in (client.post(path, QUERY), client.get(f"{path}?query=%7BPatient%7D")):
                assert answer.status_code in (400, 403, 404, 405, 501)
                assert "Murray" not in answer.get_data(as_text=True)


def test_l18_graphql_says_nothing_that_rest_does_not(house: House) -> None:
    """medplum #7641: the same question had two answers."""
    assert is_as_unknown(house.gp, "GET", "Patient/john/$graphql?query=%7Bid%7D")
    assert is_as_unknown(house.mary, "POST", "Patient/john/$graphql", QUERY)


def subscription(criteria: str, **channel: str) -> dict[str, Any]:
    """Return a subscription that would send what a search finds."""
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "tests",
        "criteria": criteria,
        "channel": {"type": "rest-hook", "endpoint": "https://hook.example.org/", **channel},
    }


def people(house: House) -> tuple[Client, ...]:
    """Return those who may not have anything sent to them."""
    return house.gp, house.consultant, house.mary


def test_l21_nobody_subscribes_past_the_own_policy(house: House) -> None:
    """medplum #8807, #9750: hooks were sent what their author may not see."""
    for client in people(house):
        assert client.post("Subscription", subscription("Observation?")).status_code == 403
        found = client.get("Subscription?_lastUpdated=gt1900")
        assert found.status_code == 403 or "entry" not in found.get_json()


def test_l22_a_subscription_needs_a_right_of_its_own(house: House) -> None:
    """hapi-fhir #8246: subscriptions ran as the system."""
    for client in people(house):
        for criteria in ("Patient?_id=john", "AuditEvent?", "Observation?patient=john"):
            assert client.post("Subscription", subscription(criteria)).status_code == 403
        put = client.put("Subscription/s", subscription("Patient?") | {"id": "s"})
        assert put.status_code == 403


def test_l23_no_payload_is_sent(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """hapi-fhir #1329: a payload was sent although none was asked for. Here, nothing is sent."""
    called = _connections(monkeypatch)
    house.everything.create(subscription("Observation?"))

    house.everything.update(house.everything.read("Observation/mary-pulse") | {"status": "amended"})

    assert called == []


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:1/", "http://[::1]/", "file:///etc/passwd", "nonsense"]
)
def test_l24_no_endpoint_is_called(
    house: House, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    """medplum #8815, hapi-fhir #6203: hooks reached into the network of the server."""
    called = _connections(monkeypatch)

    sent = house.everything.post("Subscription", subscription("Patient?", endpoint=endpoint))

    assert sent.status_code == 201
    assert house.gp.post("Subscription", subscription("Patient?")).status_code == 403
    assert called == []


def _connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Refuse every connection from here on; return what was called, caught or not."""
    called: list[Any] = []

    def refuse(_: Any, address: Any) -> None:
        called.append(address)
        raise OSError("refused")

    monkeypatch.setattr(socket, "connect", refuse)
    return called


EXPORTS = ("$export", "Patient/$export", "Group/g/$export", "Patient/john/$export")


@pytest.mark.parametrize("path", EXPORTS)
def test_l25_nobody_exports(house: House, path: str) -> None:
    """hapi-fhir #3394, #5556: one id that was allowed opened all that were named."""
    wanted = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
    for client in callers(house):
        for asked in (path, f"{path}?_type=Patient&patient=Patient/mary,Patient/john"):
            answer = client.request("GET", asked, headers=wanted)
            assert answer.status_code in (400, 403, 404, 405, 501), asked
            assert "Content-Location" not in answer.headers


def test_l26_nothing_leaves_past_labels_and_consent(house: House) -> None:
    """hapi-fhir #6854: consent was not asked in an export. Its answers are not here either."""
    for client in callers(house):
        for path in ("$export-poll-status?_jobId=1", "$bulkdata-status", "$import"):
            for method in ("GET", "POST", "DELETE"):
                body = {"resourceType": "Parameters"} if method == "POST" else None
                status = client.request(method, path, body).status_code
                assert status in (400, 403, 404, 405, 501), path
