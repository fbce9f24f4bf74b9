"""Clients register themselves with a ticket (RFC 7591), and look after it (RFC 7592)."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from auth.apps import clients, tickets
from auth.apps.clients import Client
from auth.surroundings import Surroundings
from auth.tokens import hash_of
from tests import token_flow as flow

METADATA: dict[str, Any] = {
    "client_name": "Growth charts",
    "redirect_uris": ["https://app.example.org/back"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid fhirUser launch/patient offline_access patient/*.rs",
    "logo_uri": "https://app.example.org/logo.png",
    "contacts": ["help@app.example.org"],
}


@pytest.fixture
def ticket(around: Surroundings) -> str:
    """Give a ticket for two clients."""
    now = around.clock()
    return around.store.write(
        lambda c: tickets.create(c, name="dev", uses=2, now=now, expires=now + 60_000)
    )


def _register(web: FlaskClient, ticket: str | None, **changes: Any) -> TestResponse:
    said = {n: v for n, v in {**METADATA, **changes}.items() if v is not None}
    headers = {"Authorization": f"Bearer {ticket}"} if ticket else {}
    return web.post("/auth/register", json=said, headers=headers)


def _find(around: Surroundings, id: str) -> Client:
    def find(connection: Connection) -> Client:
        found = clients.find(connection, id)
        assert found is not None
        return found

    return around.store.write(find)


def test_a_public_client_is_registered(around: Surroundings, web: FlaskClient, ticket: str) -> None:
    answer = _register(web, ticket)

    assert answer.status_code == 201, answer.text
    told = answer.get_json()
    assert METADATA.items() <= told.items()
    assert told["registration_client_uri"].endswith(f"/auth/register/{told['client_id']}")
    assert "client_secret" not in told
    assert answer.headers["Cache-Control"] == "no-store"
    made = _find(around, told["client_id"])
    assert made.verified is False
    assert made.origins == ("https://app.example.org",)


def test_a_registered_client_is_let_in(around: Surroundings, web: FlaskClient, ticket: str) -> None:
    told = _register(web, ticket, token_endpoint_auth_method="client_secret_basic").get_json()
    app = flow.App(_find(around, told["client_id"]), told["client_secret"])
    code = flow.code(around, app, flow.person(around), scope="openid offline_access")

    assert flow.exchange(web, app, code).status_code == 200
    assert told["client_secret_expires_at"] == 0


def test_keys_are_registered_inline_or_by_address(web: FlaskClient, ticket: str) -> None:
    key = {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "1"}
    by_key = {"token_endpoint_auth_method": "private_key_jwt"}

    inline = _register(web, ticket, jwks={"keys": [key]}, **by_key)
    address = _register(web, ticket, jwks_uri="https://app.example.org/jwks", **by_key)

    assert (inline.status_code, address.status_code) == (201, 201)
    assert inline.get_json()["jwks"] == {"keys": [key]}


def test_garbage_keys_are_no_metadata(web: FlaskClient, ticket: str) -> None:
    key = {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "1"}
    by_key = {"token_endpoint_auth_method": "private_key_jwt"}

    for keys in ([{**key, "kty": "garbage"}], [{**key, "x": "AA"}], [key, key], [7], []):
        answer = _register(web, ticket, jwks={"keys": keys}, **by_key)
        assert answer.status_code == 400, keys
        assert answer.get_json()["error"] == "invalid_client_metadata"


@pytest.mark.parametrize("shown", [None, "secq_wrong", "x"])
def test_t22_nobody_registers_without_a_ticket(
    web: FlaskClient, ticket: str, shown: str | None
) -> None:
    answer = _register(web, shown)

    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
    assert "WWW-Authenticate" in answer.headers


def test_who_has_no_good_ticket_is_told_where_to_get_one(
    around: Surroundings, web: FlaskClient, ticket: str
) -> None:
    around.store.write(lambda c: tickets.revoke(c, hash_of(ticket)[:16], now=around.clock()))

    none, revoked = _register(web, None).get_json(), _register(web, ticket).get_json()

    assert "Authorization: Bearer" in none["error_description"]
    assert "revoked or used up" in revoked["error_description"]
    for each in (none, revoked):
        assert "ehr client ticket create" in each["error_description"]


def test_who_names_no_scopes_gets_the_usual_ones_and_is_told(web: FlaskClient, ticket: str) -> None:
    lasting = _register(web, ticket, scope=None).get_json()
    short = _register(web, ticket, scope=None, grant_types=None).get_json()

    assert lasting["scope"] == clients.APP_SCOPE
    assert "offline_access" not in short["scope"]
    assert "patient/*.rs" in short["scope"]


def test_t22_a_ticket_is_good_for_so_many(web: FlaskClient, ticket: str) -> None:
    statuses = [_register(web, ticket).status_code for _ in range(3)]

    assert statuses == [201, 201, 401]


def test_what_is_refused_uses_no_ticket_up(web: FlaskClient, ticket: str) -> None:
    for _ in range(3):
        assert _register(web, ticket, scope="nonsense").status_code == 400

    assert _register(web, ticket).status_code == 201


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://app.example.org/back",
        "https://user@app.example.org/back",
        "https://app.example.org/back#part",
        "https:///back",
        "//app.example.org/back",
        "app.example.org",
        "myapp:/back",
        "https://app.example.org/a b",
        "https://app.example.org\\@evil.example/",
        "https://app.example.org/é",
        "http://127.0.0.1@evil.example/",
        "http://localhost.evil.example/",
        "https://app.example.org/back?code=x",
        "https://app.example.org/back?a=b&state=",
        "https://app.example.org/back?%69ss=https://x.example",
        "https://app.example.org/back?error",
        "org.example.app:/back?error_description=x",
        "http://127.0.0.1/back?code=x",
    ],
)
def test_t01_t22_no_such_redirect_address_is_registered(
    web: FlaskClient, ticket: str, uri: str
) -> None:
    answer = _register(web, ticket, redirect_uris=[uri])

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org/back?a=b",
        "https://app.example.org/back?encode=x&State=y",
        "http://127.0.0.1/back",
        "http://[::1]:7000/back",
        "http://localhost:7000/back",
        "org.example.app:/back",
    ],
)
def test_such_redirect_addresses_are_registered(web: FlaskClient, ticket: str, uri: str) -> None:
    assert _register(web, ticket, redirect_uris=[uri]).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"client_name": None},
        {"client_name": "x" * 300},
        {"client_name": ["x"]},
        {"client_name": " "},
        {"client_name": "x" * 81},
        {"client_name": "two\nlines"},
        {"client_name": "turned \u202eround"},
        {"client_name": "Shared\u00a0Care Record"},
        {"redirect_uris": []},
        {"redirect_uris": "https://app.example.org/back"},
        {"redirect_uris": [7]},
        {"redirect_uris": ["https://app.example.org/"] * 50},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["implicit"]},
        {"response_types": ["token"]},
        {"scope": ""},
        {"scope": "system/*.rs"},
        {"scope": "unheard/of"},
        {"jwks": {"keys": []}, "jwks_uri": "https://x.example/"},
        {"jwks": "x"},
        {"logo_uri": "javascript:alert(1)"},
        {"client_uri": "data:text/html,x"},
    ],
    ids=lambda changes: "-".join(f"{name}" for name in changes),
)
def test_t07_t22_what_a_client_may_not_say(
    web: FlaskClient, ticket: str, changes: dict[str, Any]
) -> None:
    answer = _register(web, ticket, **changes)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("[]", "application/json"),
        ("{", "application/json"),
        ("{}", "text/plain"),
        ('"' + "x" * 70_000 + '"', "application/json"),
    ],
    ids=["a list", "broken", "text", "huge"],
)
def test_what_is_no_json_object_is_refused(
    web: FlaskClient, ticket: str, body: str, kind: str
) -> None:
    headers = {"Authorization": f"Bearer {ticket}"}

    answer = web.post("/auth/register", data=body, content_type=kind, headers=headers)

    assert answer.status_code == 400


def test_a_client_reads_changes_and_removes_itself(
    around: Surroundings, web: FlaskClient, ticket: str
) -> None:
    told = _register(web, ticket).get_json()
    path = f"/auth/register/{told['client_id']}"
    headers = {"Authorization": f"Bearer {told['registration_access_token']}"}
    around.store.write(lambda c: clients.change(c, told["client_id"], now=2, verified=True))

    read = web.get(path, headers=headers)
    changed = web.put(path, json={**METADATA, "client_name": "Other"}, headers=headers)
    verified = _find(around, told["client_id"]).verified
    removed = web.delete(path, headers=headers)
    after = web.get(path, headers=headers)

    assert read.get_json()["client_name"] == "Growth charts"
    assert changed.get_json()["client_name"] == "Other"
    assert verified is False  # nobody has seen what it says now
    assert (removed.status_code, after.status_code) == (204, 401)


def test_t22_nobody_looks_after_the_client_of_another(web: FlaskClient, ticket: str) -> None:
    first, second = (_register(web, ticket).get_json() for _ in range(2))
    headers = {"Authorization": f"Bearer {second['registration_access_token']}"}

    for method in ("GET", "PUT", "DELETE"):
        path = f"/auth/register/{first['client_id']}"
        assert web.open(path, method=method, json=METADATA, headers=headers).status_code == 401
        refused = web.open(path, method=method, json=METADATA)
        assert refused.status_code == 401
        assert "registration_access_token" in refused.get_json()["error_description"]


def test_a_client_does_not_change_how_it_proves_who_it_is(web: FlaskClient, ticket: str) -> None:
    told = _register(web, ticket, token_endpoint_auth_method="client_secret_basic").get_json()
    headers = {"Authorization": f"Bearer {told['registration_access_token']}"}

    answer = web.put(f"/auth/register/{told['client_id']}", json=METADATA, headers=headers)

    assert answer.get_json()["error"] == "invalid_client_metadata"
