"""Pushed authorization requests (RFC 9126): checked when they come, used once, by their client."""

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey

from auth.authorizing import kept_requests
from auth.authorizing.authorization_request import RefusedOnPage
from auth.jose import dpop
from auth.surroundings import Surroundings
from tests import token_flow as flow

if TYPE_CHECKING:
    from ehr.record import Record

URL = "http://127.0.0.1:8000/auth/par"


@pytest.fixture
def app(around: Surroundings) -> flow.App:
    """Give a public client."""
    return flow.app(around)


def _push(web: FlaskClient, around: Surroundings, app: flow.App, **changes: str | None) -> str:
    answer = flow.post(web, "par", app, **flow.asked(around, app, **changes))
    assert answer.status_code == 201, answer.text
    told = answer.get_json()
    assert 5 <= told["expires_in"] <= 600
    assert answer.headers["Cache-Control"] == "no-store"
    return str(told["request_uri"])


def _bring(around: Surroundings, client_id: str, uri: str) -> str:
    brought = [("client_id", client_id), ("request_uri", uri)]
    return kept_requests.keep(around, brought, flow.BROWSER)


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_what_was_pushed_is_what_is_asked(
    around: Surroundings, web: FlaskClient, method: str
) -> None:
    app = flow.app(around, method=method)
    uri = _push(web, around, app, scope="user/*.rs", state="s")

    kept = kept_requests.kept(around, _bring(around, app.id, uri), flow.BROWSER)

    assert uri.startswith("urn:ietf:params:oauth:request_uri:")
    assert (str(kept.scopes), kept.state, kept.client.id) == ("user/*.rs", "s", app.id)


def test_what_the_browser_adds_does_not_count(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    uri = _push(web, around, app, scope="user/Patient.rs")
    brought = [("client_id", app.id), ("request_uri", uri), ("scope", "user/*.cruds")]

    handle = kept_requests.keep(around, brought, flow.BROWSER)
    kept = kept_requests.kept(around, handle, flow.BROWSER)

    assert str(kept.scopes) == "user/Patient.rs"


def test_it_is_good_once(around: Surroundings, web: FlaskClient, app: flow.App) -> None:
    uri = _push(web, around, app)
    _bring(around, app.id, uri)

    with pytest.raises(RefusedOnPage):
        _bring(around, app.id, uri)


def test_another_client_can_neither_use_it_nor_use_it_up(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    uri = _push(web, around, app)

    with pytest.raises(RefusedOnPage):
        _bring(around, flow.app(around).id, uri)

    assert _bring(around, app.id, uri)


@pytest.mark.parametrize("uri", ["urn:ietf:params:oauth:request_uri:x", "https://x/y", "\0"])
def test_t30_another_address_is_never_fetched(
    around: Surroundings, app: flow.App, uri: str
) -> None:
    with pytest.raises(RefusedOnPage):
        _bring(around, app.id, uri)


def test_a_handle_of_ours_is_no_pushed_request(around: Surroundings, app: flow.App) -> None:
    handle = flow.request(around, app).handle

    for uri in (handle, f"urn:ietf:params:oauth:request_uri:{handle}"):
        with pytest.raises(RefusedOnPage):
            _bring(around, app.id, uri)


def test_it_is_good_for_a_short_time(
    around: Surroundings, web: FlaskClient, app: flow.App, record: "Record"
) -> None:
    uri = _push(web, around, app)

    answer = flow.later(record, 91_000).get(
        "/auth/authorize", query_string={"client_id": app.id, "request_uri": uri}
    )

    assert answer.status_code == 400
    assert answer.location is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"request_uri": "urn:x"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"aud": "https://evil.example/fhir"}, "invalid_request"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_fault_is_told_at_once(
    around: Surroundings,
    web: FlaskClient,
    app: flow.App,
    changes: dict[str, str | None],
    error: str,
) -> None:
    answer = flow.post(web, "par", app, **flow.asked(around, app, **changes))

    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_nobody_pushes_for_another(around: Surroundings, web: FlaskClient, app: flow.App) -> None:
    own = flow.app(around, method="client_secret_basic")

    answer = flow.post(web, "par", own, **flow.asked(around, app))

    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_proof_binds_the_code_that_comes_of_it(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    key = ECKey.generate_key("P-256")
    proof = flow.proof(key, URL, nonce=dpop.nonce(around))
    answer = flow.post(web, "par", app, headers={"DPoP": proof}, **flow.asked(around, app))

    handle = _bring(around, app.id, answer.get_json()["request_uri"])
    kept = kept_requests.kept(around, handle, flow.BROWSER)

    assert kept.dpop_jkt == key.thumbprint()


def test_a_secret_is_not_kept_with_the_request(around: Surroundings, web: FlaskClient) -> None:
    app = flow.app(around, method="client_secret_post")
    _push(web, around, app)

    with around.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT parameters FROM pushed_request").all()

    assert rows
    assert (app.secret or "") not in str(rows)
