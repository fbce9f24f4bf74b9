"""Signing out at the wish of an app: only who shows a sign-in of this browser does it unasked."""

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth import scopes
from auth.apps import clients
from auth.jose import id_token
from auth.surroundings import Surroundings
from ehr.app import create_app, surroundings_of
from tests import signing_in
from tests.signing_in import Known

if TYPE_CHECKING:
    from ehr.record import Record

BACK = "https://app.example.org/bye"
PATH = "/auth/logout"


@pytest.fixture
def surroundings(record: "Record") -> Surroundings:
    """Give what `auth` is given of the record."""
    made = surroundings_of(record)
    for name in ("app", "other"):
        record.database.write(
            lambda connection, name=name: clients.create(  # type: ignore[misc]
                connection,
                id=name,
                name=name,
                auth_method="none",
                scope="openid",
                now=1,
                redirect_uris=["https://app.example.org/back"],
                logout_uris=[BACK] if name == "app" else [],
            )
        )
    return made


@pytest.fixture
def known(surroundings: Surroundings) -> Known:
    """Make a patient who may sign in."""
    return signing_in.make_user(surroundings, "patient")


@pytest.fixture
def web(record: "Record", surroundings: Surroundings, known: Known) -> FlaskClient:
    """Give a browser in which the patient is signed in."""
    flask_client = create_app(record).test_client()
    signing_in.signed_in(surroundings, flask_client, known)
    return flask_client


def _hint(surroundings: Surroundings, user: Any, client_id: str = "app") -> str:
    asked = scopes.parse("openid")
    return id_token.sign(surroundings, client_id, user, asked, {}, now=surroundings.clock())


def _is_signed_in(web: FlaskClient) -> bool:
    return web.get("/auth/sign-in").status_code == 303


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_app_that_shows_the_sign_in_signs_out_and_the_browser_goes_back(
    web: FlaskClient, surroundings: Surroundings, known: Known, method: str
) -> None:
    asked = {
        "id_token_hint": _hint(surroundings, known.user),
        "post_logout_redirect_uri": BACK,
        "state": "a&b",
    }
    sent = {"query_string": asked} if method == "GET" else {"data": asked}

    answer = web.open(PATH, method=method, **sent)  # type: ignore[arg-type]

    assert answer.location == f"{BACK}?state=a%26b"
    assert not _is_signed_in(web)


def test_without_a_hint_the_person_is_asked(web: FlaskClient) -> None:
    asked = web.get(PATH)
    assert "Do you want to sign out?" in asked.text
    assert _is_signed_in(web)

    done = web.post(PATH, data=_form(asked))

    assert "You are signed out" in done.text
    assert not _is_signed_in(web)


def test_what_was_asked_for_is_kept_while_the_person_is_asked(web: FlaskClient) -> None:
    asked = web.get(
        PATH, query_string={"client_id": "app", "post_logout_redirect_uri": BACK, "state": '"<'}
    )

    done = web.post(PATH, data=_form(asked))

    assert done.location == f"{BACK}?state=%22%3C"
    assert "https:" in asked.headers["Content-Security-Policy"]


def test_t6_the_sign_in_of_somebody_else_signs_nobody_out(
    web: FlaskClient, surroundings: Surroundings
) -> None:
    other = signing_in.make_user(surroundings, "professional")

    answer = web.get(PATH, query_string={"id_token_hint": _hint(surroundings, other.user)})

    assert "Do you want to sign out?" in answer.text
    assert _is_signed_in(web)


def test_t6_a_form_of_another_site_signs_nobody_out(web: FlaskClient) -> None:
    assert web.post(PATH, data={"csrf": "0" * 64}).status_code == 403
    assert _is_signed_in(web)


@pytest.mark.parametrize(
    "asked",
    [
        {"client_id": "app", "post_logout_redirect_uri": "https://evil.example/"},
        {"client_id": "app", "post_logout_redirect_uri": f"{BACK}/more"},
        {"client_id": "app", "post_logout_redirect_uri": f"{BACK}?x=1"},
        {"client_id": "other", "post_logout_redirect_uri": BACK},
        {"client_id": "nobody", "post_logout_redirect_uri": BACK},
        {"post_logout_redirect_uri": BACK},
        {"id_token_hint": "no.real.token", "post_logout_redirect_uri": BACK},
    ],
    ids=["evil", "longer", "query", "other", "unknown", "no client", "no hint"],
)
def test_t1_the_browser_goes_nowhere_that_is_not_registered(
    web: FlaskClient, asked: dict[str, str]
) -> None:
    answer = web.get(PATH, query_string=asked)

    assert answer.status_code == 400
    assert answer.location is None
    assert _is_signed_in(web)


def test_t1_the_sign_in_of_one_app_opens_no_address_of_another(
    web: FlaskClient, surroundings: Surroundings, known: Known
) -> None:
    hint = _hint(surroundings, known.user, "other")

    answer = web.get(
        PATH,
        query_string={
            "id_token_hint": hint,
            "client_id": "app",
            "post_logout_redirect_uri": BACK,
        },
    )

    assert answer.status_code == 400


def test_a_parameter_twice_is_refused(web: FlaskClient) -> None:
    assert web.get(f"{PATH}?state=a&state=b").status_code == 400


def test_who_is_not_signed_in_just_goes_on(record: "Record", surroundings: Surroundings) -> None:
    web = create_app(record).test_client()

    back = web.get(PATH, query_string={"client_id": "app", "post_logout_redirect_uri": BACK})

    assert back.location == BACK
    assert "You are signed out" in web.get(PATH).text


def _form(response: TestResponse) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', response.text)
    return {name: unescape(value) for name, value in found}
