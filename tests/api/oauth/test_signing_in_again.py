"""To open a record in an emergency the person has just signed in: from the refusal to the opening.

RFC 9470: the answer says how long ago is recent enough, the app asks for that by `max_age`, and the
person signs in once more. A refreshed token is no newer sign-in.
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from auth.sign_in.users import Role
from ehr.app import create_app
from tests import given, oauth_flow, signing_in
from tests.client import Client, expect
from tests.oauth_flow import Flow, begin, heading
from tests.policy.staff import emergency

if TYPE_CHECKING:
    from auth.apps.clients import Client as App
    from ehr.record import Record

MINUTE = 60_000
SCOPE = "openid fhirUser user/Patient.rs user/Task.crus offline_access"
PATH = "Patient/mary/$break-glass"


class Later:
    """The clock of the record, with what has passed since."""

    def __init__(self, record: "Record") -> None:
        self.record = record
        self.minutes = 0

    def __call__(self) -> int:
        return self.record.clock() + self.minutes * MINUTE


@pytest.fixture
def later(record: "Record") -> Later:
    return Later(record)


@pytest.fixture
def browser(record: "Record", later: Later, client: Client) -> FlaskClient:
    """Give a browser of a record whose time can pass."""
    client.update(given.patient(id="mary"))
    return create_app(replace(record, clock=later)).test_client()


def tokens_of(browser: FlaskClient, app: "App", flow: Flow, code: str) -> dict[str, str]:
    """Change a code for tokens, as the app does."""
    values = {
        "grant_type": "authorization_code",
        "client_id": app.id,
        "code": code,
        "redirect_uri": flow.redirect,
        "code_verifier": flow.verifier,
    }
    return expect(browser.post("/auth/token", data=values), 200)


def test_a_stale_sign_in_is_asked_to_sign_in_again_and_a_fresh_one_passes(
    record: "Record", later: Later, browser: FlaskClient
) -> None:
    app = oauth_flow.register(record)
    doctor = Role("gp", "GP at Northside Practice", "northside")
    known = signing_in.make_user(record, roles=[doctor])
    signing_in.signed_in(record, browser, known)
    flow = begin(app, SCOPE)
    back = oauth_flow.told(flow.decide(browser, flow.open(browser), "allow"))
    tokens = tokens_of(browser, app, flow, back["code"])

    later.minutes = 6
    values = {"grant_type": "refresh_token", "client_id": app.id}
    renewed = expect(
        browser.post("/auth/token", data=values | {"refresh_token": tokens["refresh_token"]}), 200
    )
    for token in (tokens["access_token"], renewed["access_token"]):
        stale = Client(browser, token).post(PATH, emergency())
        assert stale.status_code == 401
        challenge = stale.headers["WWW-Authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert Client(browser, token).get("Observation?patient=mary").status_code == 403

    # The app does what it was told; the session of the browser alone will not do.
    found = re.search(r"max_age=(\d+)", challenge)
    assert found is not None
    again = begin(app, SCOPE)
    asked = again.open(browser, max_age=found[1])
    assert heading(asked) == "Sign in"
    next = oauth_flow.hidden(asked)["next"]
    entered = signing_in.send_password(browser, known.user.login, known.password, next=next)
    code = signing_in.code_of(known, offset=2 * later.minutes)
    entered = signing_in.send(browser, entered.location, {"way": "totp", "code": code})
    page = oauth_flow.follow(browser, browser.get(signing_in.gone_to(entered)))
    back = oauth_flow.told(again.decide(browser, page, "allow"))

    fresh = Client(browser, tokens_of(browser, app, again, back["code"])["access_token"])
    expect(fresh.post(PATH, emergency()), 201)
    assert fresh.get("Patient/mary").status_code == 200
    # What was signed in before stays what it was.
    assert Client(browser, tokens["access_token"]).post(PATH, emergency()).status_code == 401
