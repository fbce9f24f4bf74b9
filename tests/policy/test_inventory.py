"""T33: no door that nobody knows of. Each route is knocked at, and each name that others have."""

from typing import TYPE_CHECKING

import pytest
from flask import Flask

from ehr.app import create_app
from tests.client import Client

if TYPE_CHECKING:
    from ehr.record import Record

# All that answers with 200 to who shows nothing: no page or document of these tells of a person.
OPEN = {
    ("GET", "/.well-known/oauth-authorization-server/fhir"),
    ("GET", "/auth/brands"),
    ("GET", "/auth/join"),
    ("GET", "/auth/jwks"),
    ("GET", "/auth/logout"),
    ("POST", "/auth/logout"),
    ("GET", "/auth/sign-in"),
    ("GET", "/auth/style/v1.json"),
    ("GET", "/fhir/.well-known/openid-configuration"),
    ("GET", "/fhir/.well-known/smart-configuration"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}
# Where servers of this kind, their tools or their elder versions have had something.
ELSEWHERE = (
    "/", "/admin", "/api", "/baseR4/Patient", "/console", "/debug", "/docs", "/fhir-r4/Patient",
    "/fhir/R4/Patient/mary", "/fhir/r4/Patient/mary", "/graphql", "/metrics", "/oauth/token",
    "/oauth2/token", "/openapi.json", "/r4/Patient", "/swagger.json", "/static/app.js", "/token",
    "/v1/Patient", "/.env", "/.git/config", "/.well-known/openid-configuration",
    "/.well-known/smart-configuration", "/auth", "/auth/device", "/auth/token/", "/auth/TOKEN",
    "/auth/users", "/auth/clients", "/auth/debug", "/AUTH/jwks",
)  # fmt: skip


@pytest.fixture
def app(record: "Record", client: Client) -> Flask:
    """Give a record with one patient."""
    client.update({"resourceType": "Patient", "id": "mary", "name": [{"family": "Murray"}]})
    client.update({"resourceType": "Task", "id": "due", "status": "requested", "intent": "order"})
    return create_app(record)


def test_t33_no_route_opens_without_a_token_but_those_that_are_meant(app: Flask) -> None:
    opened = set()
    for rule in app.url_map.iter_rules():
        values = dict.fromkeys(rule.arguments, "x") | {"what": "app", "path": "Patient/mary"}
        here = {name: values[name] for name in rule.arguments}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            path = app.url_map.bind("127.0.0.1").build(rule.endpoint, here, method=method)
            answer = app.test_client().open(path, method=method)
            assert answer.status_code < 500, (method, rule.rule)
            assert "Murray" not in answer.text, (method, rule.rule)
            if answer.status_code == 200:
                opened.add((method, rule.rule))

    assert opened == OPEN


@pytest.mark.parametrize("path", ELSEWHERE)
def test_t33_doors_that_others_have_are_none_here(app: Flask, client: Client, path: str) -> None:
    """Nor for who has a token that opens everything."""
    everything = {"Authorization": f"Bearer {client.token}"}
    for method in ("GET", "POST"):
        answer = app.test_client().open(path, method=method, headers=everything)
        assert answer.status_code in (400, 404, 405), (method, path)
        assert "Murray" not in answer.text


@pytest.mark.parametrize(
    "grant",
    [
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:openid:params:grant-type:ciba",
    ],
)
def test_t33_grants_that_are_not_told_are_none(app: Flask, grant: str) -> None:
    web = app.test_client()
    told = web.get("/fhir/.well-known/openid-configuration").get_json()
    asked = {"grant_type": grant, "username": "a", "password": "b", "assertion": "c"}

    answer = web.post("/auth/token", data=asked)

    assert grant not in told["grant_types_supported"]
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "unsupported_grant_type"


def test_t33_what_the_capability_statement_tells_is_what_answers(
    app: Flask, client: Client
) -> None:
    """What is not told is not there, for any token; what is told is."""
    web = app.test_client()
    rest = web.get("/fhir/metadata").get_json()["rest"][0]
    told = {each["name"] for each in rest.get("operation", ())}
    for each in rest["resource"]:
        told |= {one["name"] for one in each.get("operation", ())}
    others = {
        "apply", "closure", "convert", "document", "evaluate", "expand", "expunge", "export",
        "graphql", "import", "lastn", "lookup", "mark-all-resources-for-reindexing", "match",
        "merge", "process-message", "purge-history", "stats", "translate", "undo-merge",
    }  # fmt: skip

    assert "validate" in told
    for name in others - told:
        for path in (f"${name}", f"Patient/${name}", f"Patient/mary/${name}"):
            for answer in (client.get(path), client.post(path, {"resourceType": "Parameters"})):
                assert answer.status_code in (400, 404, 405, 501), path
                assert "Murray" not in answer.text
    for name in told:
        paths = (f"${name}", f"Patient/${name}", f"Patient/mary/${name}",
                 f"Task/due/${name}")  # fmt: skip
        assert any(_is_there(client, path) for path in paths), name


def _is_there(client: Client, path: str) -> bool:
    answers = (client.get(path), client.post(path, {"resourceType": "Parameters"}))
    return any(answer.status_code not in (404, 405, 501) for answer in answers)
