"""The token endpoint's form: once each parameter, in the body, and nothing taken from elsewhere."""

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.surroundings import Surroundings
from tests import token_flow as flow

if TYPE_CHECKING:
    from ehr.record import Record

FORM = "application/x-www-form-urlencoded"
APP = "https://app.example.org"


@pytest.mark.parametrize("grant", ["password", "implicit", "x" * 500, '"\\é', "urn:x:jwt-bearer"])
def test_another_grant_type_is_not_supported(
    around: Surroundings, web: FlaskClient, grant: str
) -> None:
    answer = flow.token(web, flow.app(around), grant)

    assert answer.status_code == 400
    assert answer.get_json()["error"] == "unsupported_grant_type"
    assert grant not in answer.text


def test_a_missing_grant_type_is_an_invalid_request(around: Surroundings, web: FlaskClient) -> None:
    answer = flow.post(web, "token", flow.app(around))

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_t20_parameters_in_the_address_are_refused(web: FlaskClient) -> None:
    answer = web.post("/auth/token?client_id=x", data={"grant_type": "refresh_token"})

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("grant_type=refresh_token&grant_type=refresh_token", FORM),
        ("grant_type=authorization_code&code=a&code=b", FORM),
        ('{"grant_type": "refresh_token"}', "application/json"),
        ("grant_type=refresh_token", "text/plain"),
    ],
    ids=["twice", "two codes", "JSON", "plain text"],
)
def test_t37_a_form_is_read_in_one_way(web: FlaskClient, body: str, kind: str) -> None:
    answer = web.post("/auth/token", data=body, content_type=kind)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override", "X-Forwarded-Host", "X-Original-URL", "Forwarded"]
)
def test_t37_headers_change_neither_method_nor_issuer(
    around: Surroundings, web: FlaskClient, header: str
) -> None:
    service = flow.service(around)
    own = flow.assertion(service)
    foreign = flow.assertion(service, audience="http://evil.example/auth/token")
    headers = {header: "evil.example", "Host": "evil.example"}

    taken = flow.token(
        web, service, "client_credentials", headers=headers, scope="system/*.rs",
        client_assertion=own,
    )  # fmt: skip
    refused = flow.token(
        web, service, "client_credentials", headers=headers, scope="system/*.rs",
        client_assertion=foreign,
    )  # fmt: skip

    assert (taken.status_code, refused.status_code) == (200, 401)


def test_other_methods_are_not_allowed(web: FlaskClient) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert web.open("/auth/token", method=method).status_code == 405


@pytest.mark.parametrize("endpoint", ["token", "revoke"])
def test_t32_scripts_of_the_clients_own_site_may_read_the_answer(
    around: Surroundings, web: FlaskClient, endpoint: str
) -> None:
    app = flow.app(around)
    form = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}

    own = flow.post(web, endpoint, app, headers={"Origin": APP}, **form)
    other = flow.post(web, endpoint, app, headers={"Origin": "https://evil.example"}, **form)

    assert own.headers["Access-Control-Allow-Origin"] == APP
    assert "Access-Control-Allow-Origin" not in other.headers
    assert "Access-Control-Allow-Credentials" not in own.headers


def test_an_error_says_what_is_wrong_and_nothing_of_what_was_sent(
    around: Surroundings, web: FlaskClient
) -> None:
    answer = flow.exchange(web, flow.app(around), "secret-code-of-mine")

    assert answer.get_json()["error_description"]
    assert "secret-code-of-mine" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"


def test_a_token_opens_nothing_once_it_has_ended(
    around: Surroundings, web: FlaskClient, record: "Record"
) -> None:
    app, service = flow.app(around), flow.service(around)
    hour = flow.exchange(web, app, flow.code(around, app, flow.person(around))).get_json()
    short = flow.token(web, service, "client_credentials", scope="system/*.rs").get_json()

    def ask(told: dict[str, str], milliseconds: int) -> TestResponse:
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        return flow.later(record, milliseconds).get("/fhir/Patient", headers=headers)

    assert (ask(hour, 3_500_000).status_code, ask(short, 290_000).status_code) == (200, 200)
    for ended in (ask(hour, 3_600_001), ask(short, 300_001)):
        assert ended.status_code == 401
        assert 'error="invalid_token"' in ended.headers["WWW-Authenticate"]
