"""The authorization endpoint: what is refused, where it is told, and what is asked of a person.

RFC 6749 §4.1, RFC 9207, RFC 9700 §4; SMART App Launch 2.2 (Inferno: smart_app_redirect_stu2,
smart_code_received, (g)(10) 9.4 invalid aud).
"""

import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from auth.apps.clients import Client
from ehr.app import create_app
from tests import oauth_flow, signing_in
from tests.oauth_flow import BASE, REDIRECT, begin, heading, told

if TYPE_CHECKING:
    from ehr.record import Record

GP = "openid fhirUser user/Observation.rs"


@pytest.fixture
def app(record: "Record") -> Client:
    """Give a registered app."""
    return oauth_flow.register(record)


@pytest.fixture
def browser(record: "Record") -> FlaskClient:
    """Give a browser in which nobody is signed in."""
    return create_app(record).test_client()


@pytest.fixture
def signed_in(record: "Record", browser: FlaskClient) -> FlaskClient:
    """Give the browser with a professional signed in."""
    signing_in.signed_in(record, browser, signing_in.make_user(record))
    return browser


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_ends_at_the_app_with_a_code(
    signed_in: FlaskClient, app: Client, method: str
) -> None:
    flow = begin(app, GP)

    sent = {"query_string": flow.parameters} if method == "GET" else {"data": flow.parameters}
    page = oauth_flow.follow(signed_in, signed_in.open("/auth/authorize", method=method, **sent))
    back = told(flow.decide(signed_in, page, "allow"))

    assert len(back["code"]) >= 43
    assert back["state"] == flow.parameters["state"]
    assert back["iss"] == BASE


def test_t05_every_answer_names_the_issuer(signed_in: FlaskClient, app: Client) -> None:
    """T5, mix-up: `iss` stands in errors as well, and is no part of what a request brings."""
    flow = begin(app, GP, iss="https://evil.example.org")

    refused = told(flow.decide(signed_in, flow.open(signed_in), "refuse"))
    wrong = told(flow.open(signed_in, aud="https://evil.example.org/fhir"))

    assert refused["iss"] == wrong["iss"] == BASE
    assert refused["error"] == "access_denied"
    assert wrong["error"] == "invalid_request"


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example.org/callback",
        "https://app.example.org/callback/../evil",
        "https://app.example.org/callback?next=//evil.example.org",
        "https://app.example.org.evil.example.org/callback",
        "https://app.example.org@evil.example.org/callback",
        "http://app.example.org/callback",
        "https://app.example.org/callback#fragment",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example.org",
        "",
    ],
)
def test_t01_nobody_is_sent_to_an_address_that_is_not_registered(
    browser: FlaskClient, app: Client, uri: str
) -> None:
    answer = begin(app, GP).open(browser, redirect_uri=uri)

    assert answer.status_code == 400
    assert answer.location is None
    assert heading(answer) == "This app cannot be connected"
    assert "evil" not in answer.text


@pytest.mark.parametrize("client", ["", "nobody", "' OR 1=1 --"])
def test_t01_an_unknown_app_is_told_on_a_page(
    browser: FlaskClient, app: Client, client: str
) -> None:
    answer = begin(app, GP).open(browser, client_id=client)

    assert answer.status_code == 400
    assert answer.location is None


@pytest.mark.parametrize("name", ["state", "redirect_uri", "client_id", "scope", "aud"])
def test_a_parameter_sent_twice_is_told_on_a_page(
    browser: FlaskClient, app: Client, name: str
) -> None:
    flow = begin(app, GP)
    query = urlencode([*flow.parameters.items(), (name, flow.parameters[name])])

    answer = browser.get(f"/auth/authorize?{query}")

    assert answer.status_code == 400
    assert answer.location is None


def test_a_parameter_in_address_and_body_is_sent_twice(browser: FlaskClient, app: Client) -> None:
    """T37: what is checked is what is done, however a request is written."""
    flow = begin(app, GP)

    answer = browser.post("/auth/authorize?state=other", data=flow.parameters)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://evil.example.org/fhir"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"launch": "guessed"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
    ids=str,
)
def test_faults_are_told_the_app_without_a_code(
    browser: FlaskClient, app: Client, changes: dict[str, str | None], error: str
) -> None:
    flow = begin(app, GP)

    back = told(flow.open(browser, **changes))

    assert back["error"] == error
    assert back["iss"] == BASE
    assert back.get("state") == (None if "state" in changes else flow.parameters["state"])
    assert "code" not in back


def test_state_comes_back_byte_for_byte(signed_in: FlaskClient, app: Client) -> None:
    state = "a b+c%20&=#;\"'<é>" + "x" * 100
    flow = begin(app, GP, state=state)

    assert told(flow.decide(signed_in, flow.open(signed_in), "allow"))["state"] == state


def test_who_is_not_signed_in_signs_in_and_comes_back(
    record: "Record", browser: FlaskClient, app: Client
) -> None:
    known = signing_in.make_user(record)
    asked = begin(app, GP).open(browser, login_hint="ada@example.org")
    assert heading(asked) == "Sign in"
    assert 'value="ada@example.org"' in asked.text

    way = oauth_flow.hidden(asked)["next"]
    last = signing_in.signed_in(record, browser, known, next=way)

    page = oauth_flow.follow(browser, browser.get(signing_in.gone_to(last)))
    assert heading(page).startswith("Allow Growth Charts")
    assert "GP at Northside Practice" in page.text


def test_what_was_allowed_is_not_asked_again(signed_in: FlaskClient, app: Client) -> None:
    first = begin(app, GP)
    first.decide(signed_in, first.open(signed_in), "allow")

    again = told(begin(app, GP).open(signed_in))
    less = told(begin(app, "openid user/Observation.r").open(signed_in, prompt="none"))
    more = begin(app, f"{GP} user/Condition.rs").open(signed_in)

    assert "code" in again
    assert "code" in less
    assert heading(more).startswith("Allow Growth Charts")


@pytest.mark.parametrize(
    "changes", [{"prompt": "consent"}, {"scope": f"{GP} offline_access"}], ids=str
)
def test_some_requests_are_asked_each_time(
    signed_in: FlaskClient, app: Client, changes: dict[str, str]
) -> None:
    flow = begin(app, f"{GP} offline_access")
    flow.decide(signed_in, flow.open(signed_in), "allow")

    page = begin(app, GP).open(signed_in, **changes)

    assert heading(page).startswith("Allow Growth Charts")


def test_what_was_allowed_to_one_app_is_not_allowed_to_others(
    record: "Record", signed_in: FlaskClient, app: Client
) -> None:
    flow = begin(app, GP)
    flow.decide(signed_in, flow.open(signed_in), "allow")

    other = begin(oauth_flow.register(record, "Other"), GP).open(signed_in)

    assert heading(other).startswith("Allow Other")


def test_an_app_that_cannot_prove_itself_is_asked_each_time(
    record: "Record", signed_in: FlaskClient
) -> None:
    """RFC 8252 §8.6: another program of the device may have taken its scheme."""
    app = oauth_flow.register(record, redirect_uris=["org.example.app:/callback"])
    flow = begin(app, GP)
    flow.decide(signed_in, flow.open(signed_in), "allow")

    page = begin(app, GP).open(signed_in)

    assert heading(page).startswith("Allow Growth Charts")


def test_no_prompt_where_the_person_is_needed_is_an_error(
    signed_in: FlaskClient, app: Client
) -> None:
    back = told(begin(app, GP, prompt="none").open(signed_in))

    assert back["error"] == "consent_required"


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}], ids=str)
def test_an_app_may_ask_to_sign_in_anew(
    record: "Record", browser: FlaskClient, app: Client, changes: dict[str, str]
) -> None:
    known = signing_in.make_user(record)
    signing_in.signed_in(record, browser, known)
    time.sleep(0.01)

    asked = begin(app, GP).open(browser, **changes)
    assert heading(asked) == "Sign in"
    assert "Sign in again" in asked.text

    last = signing_in.signed_in(record, browser, known, next=oauth_flow.hidden(asked)["next"])
    page = oauth_flow.follow(browser, browser.get(signing_in.gone_to(last)))
    assert heading(page).startswith("Allow Growth Charts")


def test_a_recent_sign_in_is_recent_enough(signed_in: FlaskClient, app: Client) -> None:
    page = begin(app, GP).open(signed_in, max_age="600")

    assert heading(page).startswith("Allow Growth Charts")


def test_an_answer_counts_once(signed_in: FlaskClient, app: Client) -> None:
    flow = begin(app, GP)
    page = flow.open(signed_in)
    assert "code" in told(flow.decide(signed_in, page, "allow"))

    again = flow.decide(signed_in, page, "allow")

    assert again.status_code == 400
    assert again.location is None


def test_a_handle_of_nothing_is_told_on_a_page(signed_in: FlaskClient) -> None:
    for path in ("/auth/consent", "/auth/patient"):
        answer = signed_in.get(f"{path}?request=guessed")
        assert answer.status_code == 400
        assert answer.location is None


def test_pages_on_the_way_are_not_framed_or_kept(signed_in: FlaskClient, app: Client) -> None:
    """T6, clickjacking; T20: the address of a page tells no other site of the request."""
    page = begin(app, GP).open(signed_in)

    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert REDIRECT not in page.text
