"""What a token is worth, for who may ask; to everybody else no token is active (T21)."""

import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from sqlalchemy import select

from auth import tokens
from auth.models import access_grant, attempt
from auth.sign_in import attempts
from auth.surroundings import Surroundings
from tests import token_flow as flow
from tests.client import Client
from tests.signing_in import registered

BASE = "http://127.0.0.1:8000/fhir"


@pytest.fixture
def app(around: Surroundings) -> flow.App:
    """Give a confidential client."""
    return flow.app(around, method="client_secret_basic")


@pytest.fixture
def told(around: Surroundings, web: FlaskClient, app: flow.App, client: Client) -> dict[str, Any]:
    """Give a token response with a patient in context."""
    patient = str(client.create({"resourceType": "Patient", **registered(client)})["id"])
    scope = "openid fhirUser launch/patient patient/*.rs offline_access"
    code = flow.code(around, app, flow.person(around), patient=patient, scope=scope)
    found: dict[str, Any] = flow.exchange(web, app, code).get_json()
    return found


def _by_token(web: FlaskClient, shown: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {shown}"}
    answer = web.post("/auth/introspect", data={"token": token}, headers=headers)
    return {"status": answer.status_code, **answer.get_json()}


def _all_seeing(client: Client) -> str:
    assert client.token is not None
    return client.token


def test_a_client_learns_all_of_its_own_token(
    web: FlaskClient, app: flow.App, told: dict[str, Any]
) -> None:
    answer = flow.post(web, "introspect", app, token=told["access_token"])

    assert answer.status_code == 200
    found = answer.get_json()
    assert found["active"] is True
    assert found["scope"] == told["scope"]
    assert found["client_id"] == app.id
    assert time.time() < found["exp"] <= time.time() + 3601
    assert found["patient"] == told["patient"]
    assert found["iss"] == BASE
    assert found["aud"] == BASE
    assert found["token_type"] == "Bearer"
    assert found["fhirUser"].startswith(f"{BASE}/Practitioner/")
    claims = flow.claims_of(told["id_token"])
    assert (found["sub"], found["iss"]) == (claims["sub"], claims["iss"])
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_openid_nothing_says_who_the_user_is(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    code = flow.code(around, app, flow.person(around), scope="user/*.rs")
    token = flow.exchange(web, app, code).get_json()["access_token"]

    found = flow.post(web, "introspect", app, token=token).get_json()

    assert found["active"] is True
    assert not {"sub", "iss", "fhirUser"} & found.keys()


def test_t21_of_another_clients_token_a_client_learns_nothing(
    around: Surroundings, web: FlaskClient, told: dict[str, Any]
) -> None:
    other = flow.app(around, method="client_secret_post")

    answer = flow.post(web, "introspect", other, token=told["access_token"])

    assert (answer.status_code, answer.get_json()) == (200, {"active": False})


def test_t21_who_proves_nothing_may_not_ask(
    around: Surroundings, web: FlaskClient, told: dict[str, Any]
) -> None:
    public = flow.post(web, "introspect", flow.app(around), token=told["access_token"])
    nobody = web.post("/auth/introspect", data={"token": told["access_token"]})

    for answer in (public, nobody):
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("token", ["unknown", "secr_" + "x" * 43, "\0", "é"])
def test_an_unknown_token_is_only_not_active(web: FlaskClient, app: flow.App, token: str) -> None:
    answer = flow.post(web, "introspect", app, token=token)

    assert (answer.status_code, answer.get_json()) == (200, {"active": False})


def test_a_revoked_token_is_only_not_active(
    web: FlaskClient, app: flow.App, told: dict[str, Any]
) -> None:
    flow.post(web, "revoke", app, token=told["access_token"])

    answer = flow.post(web, "introspect", app, token=told["access_token"])

    assert answer.get_json() == {"active": False}


def test_a_system_asks_by_its_token_of_any_client(
    around: Surroundings, web: FlaskClient, app: flow.App, told: dict[str, Any]
) -> None:
    service = flow.service(around)
    shown = flow.token(web, service, "client_credentials", scope="system/*.rs").get_json()

    found = _by_token(web, shown["access_token"], told["access_token"])

    assert found["active"] is True
    assert found["client_id"] == app.id


@pytest.mark.parametrize(
    ("kind", "purpose"), [("professional", "TREAT"), ("patient", "PATRQT"), ("carer", "PATRQT")]
)
def test_the_purpose_of_a_users_token_is_told_to_who_sees_all(
    around: Surroundings, web: FlaskClient, app: flow.App, client: Client, kind: str, purpose: str
) -> None:
    """It stands in the grant, in each token of it, and in who is calling."""
    user = flow.person(around, kind)
    code = flow.code(around, app, user, scope="openid offline_access user/Patient.rs")
    first = flow.exchange(web, app, code).get_json()
    again = flow.refresh(web, app, first["refresh_token"]).get_json()["access_token"]

    for token in (first["access_token"], again):
        assert _by_token(web, _all_seeing(client), token)["purpose_of_use"] == purpose
        own = flow.post(web, "introspect", app, token=token).get_json()
        assert own["active"] is True
        assert "purpose_of_use" not in own
        with around.store.read() as connection:
            found = tokens.find(connection, token, now=around.clock())
        assert found is not None
        assert found.principal.purpose == purpose
    with around.store.read() as connection:
        (context,) = connection.execute(select(access_grant.c.context)).scalars()
    assert json.loads(context)["purpose"] == purpose


@pytest.mark.parametrize("registered", [None, "TREAT", "HRESCH"])
def test_the_purpose_of_a_service_is_the_one_it_was_registered_for(
    around: Surroundings, web: FlaskClient, client: Client, registered: str | None
) -> None:
    service = flow.service(around, purpose=registered)
    told = flow.token(web, service, "client_credentials", scope="system/*.rs").get_json()

    found = _by_token(web, _all_seeing(client), told["access_token"])

    assert found["purpose_of_use"] == (registered or "HOPERAT")


def test_an_app_asks_by_a_token_of_its_own_tokens_alone(
    around: Surroundings, web: FlaskClient, told: dict[str, Any]
) -> None:
    other = flow.app(around)
    foreign = flow.exchange(web, other, flow.code(around, other, flow.person(around))).get_json()[
        "access_token"
    ]

    own = _by_token(web, told["access_token"], told["access_token"])
    strange = _by_token(web, told["access_token"], foreign)

    assert own["active"] is True
    assert strange == {"status": 200, "active": False}


def test_a_token_out_of_force_asks_nothing(
    web: FlaskClient, app: flow.App, told: dict[str, Any]
) -> None:
    flow.post(web, "revoke", app, token=told["access_token"])

    found = _by_token(web, told["access_token"], told["access_token"])

    assert (found["status"], found["error"]) == (401, "invalid_token")


def test_a_bound_token_is_told_with_its_key_and_asks_with_a_proof_only(
    around: Surroundings, web: FlaskClient
) -> None:
    key = ECKey.generate_key("P-256")
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))
    token = flow.bound(web, app, key, code).get_json()["access_token"]
    url = "http://127.0.0.1:8000/auth/introspect"
    sign = flow.proof(key, url, nonce=flow.nonce(around), token=token)

    without = _by_token(web, token, token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": sign}
    found = web.post("/auth/introspect", data={"token": token}, headers=headers).get_json()

    assert without["error"] == "invalid_token"
    assert found["cnf"] == {"jkt": key.thumbprint()}
    assert found["token_type"] == "DPoP"


def test_t21_a_client_that_guesses_has_to_wait(
    around: Surroundings, web: FlaskClient, app: flow.App, told: dict[str, Any]
) -> None:
    guesses = attempts.of_introspection(around, app.id)
    strange = [f"secr_{n:043}" for n in range(guesses.free)]
    for token in strange:
        assert flow.post(web, "introspect", app, token=token).get_json() == {"active": False}

    refused = flow.post(web, "introspect", app, token=told["access_token"])

    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "active" not in refused.get_json()
    other = flow.app(around, method="client_secret_post")
    assert flow.post(web, "introspect", other, token=strange[0]).status_code == 200


def test_t21_asking_often_of_ones_own_tokens_is_no_guessing(
    around: Surroundings, web: FlaskClient, app: flow.App, told: dict[str, Any]
) -> None:
    free = attempts.of_introspection(around, app.id).free
    for _ in range(2):
        for _ in range(free):
            asked = flow.post(web, "introspect", app, token=told["access_token"])
            assert asked.status_code == 200
        flow.post(web, "revoke", app, token=told["access_token"])
    with around.store.read() as connection:
        assert connection.execute(select(attempt.c.count)).all() == []
