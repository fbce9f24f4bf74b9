"""Backend services: system/ scopes within those registered, for five minutes, by a key alone."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from auth.apps import clients
from auth.surroundings import Surroundings
from tests import token_flow as flow
from tests.client import Client


def _ask(
    web: FlaskClient, app: flow.App, scope: str | None = "system/*.rs", **more: str
) -> dict[str, Any]:
    answer = flow.token(web, app, "client_credentials", scope=scope, **more)
    return {"status": answer.status_code, **answer.get_json()}


@pytest.mark.parametrize(("kid", "algorithm"), [("es", "ES384"), ("rs", "RS384"), ("rs", "RS256")])
def test_a_service_gets_a_short_token(
    around: Surroundings, web: FlaskClient, kid: str, algorithm: str
) -> None:
    service = flow.service(around)
    assertion = flow.assertion(service, header={"kid": kid, "alg": algorithm})

    answer = flow.token(
        web, service, "client_credentials", scope="system/*.rs", client_assertion=assertion
    )

    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert told.pop("access_token").startswith("secr_")
    assert told == {"token_type": "Bearer", "expires_in": 300, "scope": "system/*.rs"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"


def test_the_token_reads_what_it_is_for_and_nothing_else(
    around: Surroundings, web: FlaskClient
) -> None:
    service = flow.service(around)
    told = _ask(web, service, "system/Patient.s")
    caller = Client(web, told["access_token"])

    assert caller.get("Patient").status_code == 200
    assert caller.get("Observation").status_code == 403


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("system/*.cruds", "system/*.rs"),
        ("system/Patient.cruds system/Patient.rs", "system/Patient.rs"),
        ("system/Patient.read", "system/Patient.read"),
        ("system/*.read", "system/*.read"),
        ("system/Patient.rs user/*.rs patient/*.rs openid", "system/Patient.rs"),
        (
            "system/Observation.rs?category=laboratory",
            "system/Observation.rs?category=laboratory",
        ),
        ("system/Observation.rs?code:in=x", None),
        ("system/Observation.rs?patient.name=x", None),
        ("system/Observation.rs?_filter=x", None),
        ("system/*.rs?category=x", None),
        ("user/*.rs", None),
        ("patient/*.rs openid", None),
        ("system/*.cud", None),
        ("unheard", None),
    ],
)
def test_t08_no_more_is_granted_than_is_registered(
    around: Surroundings, web: FlaskClient, asked: str, granted: str | None
) -> None:
    told = _ask(web, flow.service(around), asked)

    if granted is None:
        assert (told["status"], told["error"]) == (400, "invalid_scope")
    else:
        assert told["scope"] == granted


def test_a_scope_must_be_named(around: Surroundings, web: FlaskClient) -> None:
    told = _ask(web, flow.service(around), None)

    assert (told["status"], told["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_t17_no_other_client_acts_for_itself(
    around: Surroundings, web: FlaskClient, method: str
) -> None:
    told = _ask(web, flow.app(around, method=method))

    assert (told["status"], told["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_no_other_client_is_registered_to(around: Surroundings, method: str) -> None:
    with pytest.raises(ValueError, match="need private_key_jwt"):
        flow.app(around, method=method, grant_types=("client_credentials",), redirect_uris=())


def test_a_service_out_of_use_loses_its_tokens(around: Surroundings, web: FlaskClient) -> None:
    service = flow.service(around)
    token = _ask(web, service)["access_token"]
    around.store.write(lambda c: clients.disable(c, service.id, now=around.clock()))

    assert not flow.is_active(around, token)
    assert _ask(web, service)["error"] == "invalid_client"


def test_system_scopes_are_for_services_alone(around: Surroundings) -> None:
    with pytest.raises(ValueError, match="backend services"):
        flow.app(around, scope="system/*.rs")
