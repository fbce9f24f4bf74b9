"""A client proves who it is in one way, the one it is registered for; else the answer is 401."""

import pytest
from flask.testing import FlaskClient

from auth.apps import clients
from auth.surroundings import Surroundings
from tests import token_flow as flow

FORM = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "x", "code_verifier": "x"}


def _ask(web: FlaskClient, headers: dict[str, str] | None = None, **form: str) -> tuple[int, str]:
    answer = web.post("/auth/token", data={**FORM, **form}, headers=headers)
    return answer.status_code, answer.get_json()["error"]


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect", "par"])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_wrong_secret_is_no_client(
    around: Surroundings, web: FlaskClient, method: str, endpoint: str
) -> None:
    app = flow.app(around, method=method)
    wrong = flow.App(app.client, "secs_wrong")

    answer = flow.post(web, endpoint, wrong, grant_type="refresh_token", token="x")

    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert ("WWW-Authenticate" in answer.headers) == (method == "client_secret_basic")


def test_who_is_unknown_is_told_what_a_wrong_secret_is_told(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around, method="client_secret_basic")
    out = flow.app(around, method="client_secret_basic")
    around.store.write(lambda c: clients.disable(c, out.id, now=1))

    answers = [
        web.post("/auth/token", data=FORM, headers={"Authorization": flow.basic(*given)})
        for given in ((app.id, "wrong"), ("nobody", "x"), (out.id, out.secret or ""))
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}


def test_t17_two_ways_at_once_are_an_invalid_request(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around, method="client_secret_basic")
    secret = app.secret or ""
    header = {"Authorization": flow.basic(app.id, secret)}
    assertion = {"client_assertion": "x", "client_assertion_type": flow.ASSERTION}

    assert _ask(web, header, client_secret=secret) == (400, "invalid_request")
    assert _ask(web, header, **assertion) == (400, "invalid_request")
    assert _ask(web, client_secret=secret, **assertion) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("registered", "taken"),
    [
        ("client_secret_basic", "client_secret_post"),
        ("client_secret_post", "client_secret_basic"),
        ("client_secret_basic", "none"),
        ("client_secret_post", "none"),
    ],
)
def test_t17_only_the_registered_way_counts(
    around: Surroundings, web: FlaskClient, registered: str, taken: str
) -> None:
    app = flow.app(around, method=registered)
    secret = app.secret or ""
    ways = {
        "client_secret_basic": lambda: _ask(web, {"Authorization": flow.basic(app.id, secret)}),
        "client_secret_post": lambda: _ask(web, client_id=app.id, client_secret=secret),
        "none": lambda: _ask(web, client_id=app.id),
    }

    assert ways[taken]() == (401, "invalid_client")


def test_t17_a_public_client_shows_no_secret(around: Surroundings, web: FlaskClient) -> None:
    app = flow.app(around)

    assert _ask(web, client_id=app.id, client_secret="x") == (401, "invalid_client")


def test_t17_client_id_must_be_who_proved_to_be(around: Surroundings, web: FlaskClient) -> None:
    app, other = flow.app(around, method="client_secret_basic"), flow.app(around)
    header = {"Authorization": flow.basic(app.id, app.secret or "")}

    assert _ask(web, header, client_id=other.id) == (401, "invalid_client")
    assert _ask(web, header, client_id=app.id) == (400, "invalid_grant")


def test_id_and_secret_are_form_encoded_in_the_header(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around, method="client_secret_basic", id="a.b_c-d")
    encoded = flow.basic("a%2Eb_c-d", (app.secret or "").replace("_", "%5F"))

    assert _ask(web, {"Authorization": encoded}) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !", "Basic eA==", "Basic /w==", "Bearer x", "Digest a=b", "Basic Og=="],
)
def test_a_header_that_proves_nothing_is_answered_401(web: FlaskClient, header: str) -> None:
    assert _ask(web, {"Authorization": header}) == (401, "invalid_client")


@pytest.mark.parametrize("id", ["", "\0", "x" * 5000, "é", "' OR 1=1 --"])
def test_strange_client_ids_are_unknown(web: FlaskClient, id: str) -> None:
    assert _ask(web, client_id=id) == (401, "invalid_client")


def test_an_unknown_kind_of_assertion_is_refused(around: Surroundings, web: FlaskClient) -> None:
    service = flow.service(around)
    made = {"client_assertion": flow.assertion(service), "client_assertion_type": "other"}

    assert _ask(web, **made) == (401, "invalid_client")
    assert _ask(web, client_assertion=made["client_assertion"]) == (401, "invalid_client")


def test_a_new_secret_takes_the_place_of_the_old(around: Surroundings, web: FlaskClient) -> None:
    app = flow.app(around, method="client_secret_post")
    new = around.store.write(lambda c: clients.renew_secret(c, app.id, now=2))

    assert _ask(web, client_id=app.id, client_secret=app.secret or "")[0] == 401
    assert _ask(web, client_id=app.id, client_secret=new) == (400, "invalid_grant")
