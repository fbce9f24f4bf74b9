"""Clients give up tokens (RFC 7009): their own, whatever the kind, and public clients too."""

import pytest
from flask.testing import FlaskClient

from auth.surroundings import Surroundings
from tests import token_flow as flow


@pytest.fixture(params=["none", "client_secret_basic", "client_secret_post"])
def app(around: Surroundings, request: pytest.FixtureRequest) -> flow.App:
    """Give a client of each kind."""
    return flow.app(around, method=request.param)


@pytest.fixture
def told(around: Surroundings, web: FlaskClient, app: flow.App) -> dict[str, str]:
    """Give a token response."""
    found: dict[str, str] = flow.exchange(
        web, app, flow.code(around, app, flow.person(around))
    ).get_json()
    return found


def test_an_access_token_ends_by_itself(
    around: Surroundings, web: FlaskClient, app: flow.App, told: dict[str, str]
) -> None:
    answer = flow.post(web, "revoke", app, token=told["access_token"])

    assert answer.status_code == 200
    assert not flow.is_active(around, told["access_token"])
    assert flow.refresh(web, app, told["refresh_token"]).status_code == 200


@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "unheard"])
def test_a_refresh_token_ends_with_its_grant(
    around: Surroundings,
    web: FlaskClient,
    app: flow.App,
    told: dict[str, str],
    hint: str | None,
) -> None:
    answer = flow.post(web, "revoke", app, token=told["refresh_token"], token_type_hint=hint)

    assert answer.status_code == 200
    assert not flow.is_active(around, told["access_token"])
    assert flow.refresh(web, app, told["refresh_token"]).status_code == 400


@pytest.mark.parametrize("token", ["unknown", "secr_" + "x" * 43, "\0"])
def test_an_unknown_token_is_as_good_as_revoked(
    web: FlaskClient, app: flow.App, token: str
) -> None:
    assert flow.post(web, "revoke", app, token=token).status_code == 200


def test_another_clients_token_stays(
    around: Surroundings, web: FlaskClient, app: flow.App, told: dict[str, str]
) -> None:
    other = flow.app(around)

    for name in ("access_token", "refresh_token"):
        answer = flow.post(web, "revoke", other, token=told[name])
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")

    assert flow.is_active(around, told["access_token"])
    assert flow.refresh(web, app, told["refresh_token"]).status_code == 200


def test_a_token_must_be_named(web: FlaskClient, app: flow.App) -> None:
    answer = flow.post(web, "revoke", app)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_a_service_revokes_its_token(around: Surroundings, web: FlaskClient) -> None:
    service = flow.service(around)
    token = flow.token(web, service, "client_credentials", scope="system/*.rs").get_json()

    answer = flow.post(web, "revoke", service, token=token["access_token"])

    assert answer.status_code == 200
    assert not flow.is_active(around, token["access_token"])
