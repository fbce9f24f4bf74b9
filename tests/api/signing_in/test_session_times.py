"""When somebody signed in, and how long that lasts: nothing but signing in makes it later (T24)."""

from dataclasses import replace

from flask.testing import FlaskClient

from auth.authorizing import authorization_steps
from auth.sign_in import sessions
from auth.sign_in.session_times import LONGEST
from auth.sign_in.sessions import Step
from auth.surroundings import Surroundings
from ehr.app import create_app
from ehr.record import Record
from tests import token_flow as flow
from tests.passkey_pages import NEW
from tests.signing_in import csrf_in, make_user, session_of, signed_in

MINUTE = 60_000
PASSWORD, UNLINK = "/auth/account/password", "/auth/account/identities/remove"


def test_t24_a_change_of_the_account_is_no_sign_in(
    record: Record, around: Surroundings, browser: FlaskClient
) -> None:
    """Who finds a browser open would else change on and on, and it would never end."""
    signed_in(around, browser, make_user(around, "patient"))
    first = session_of(around, browser)
    nine, eleven = (_later(record, browser, minutes) for minutes in (9, 11))
    csrf = csrf_in(nine.get(PASSWORD))

    nine.post(UNLINK, data={"csrf": csrf, "issuer": "none", "subject": "none"})
    _same_cookies(nine, eleven)
    then = session_of(around, eleven)

    assert then.id_hash != first.id_hash
    assert then.authenticated == first.authenticated
    assert then.expires == first.expires <= around.clock() + LONGEST
    assert "/auth/sign-in?again=1" in str(eleven.get(PASSWORD).location)


def test_t24_a_change_of_the_account_does_not_answer_prompt_login(
    record: Record, around: Surroundings, browser: FlaskClient
) -> None:
    signed_in(around, browser, make_user(around, "patient"))
    asked = flow.request(around, flow.app(around), prompt="login", scope="openid")
    csrf = csrf_in(browser.get(PASSWORD))

    browser.post(UNLINK, data={"csrf": csrf, "issuer": "none", "subject": "none"})

    step = authorization_steps.next_step(around, asked, session_of(around, browser))
    assert step.name == "sign-in"


def test_t24_choosing_a_role_is_no_sign_in(around: Surroundings) -> None:
    doctor = make_user(around).user
    _, first = sessions.begin(around, Step(doctor.id, ("pwd", "otp", "mfa")))
    later = replace(around, clock=lambda: around.clock() + 5 * MINUTE)

    step = Step(doctor.id, first.amr, complete=True, role_number=1, goes_on=True)
    _, then = sessions.begin(later, step, instead_of=first)

    assert then.authenticated == first.authenticated


def test_t24_an_old_session_makes_no_passkey_when_the_policy_became_stricter(
    record: Record, around: Surroundings, browser: FlaskClient
) -> None:
    signed_in(around, browser, make_user(around))
    settings = {"staff_sign_in": "passkey", "base_url": "http://localhost:8000/fhir"}
    strict = replace(record, settings=replace(record.settings, **settings))

    soon, late = (_later(strict, browser, minutes) for minutes in (5, 20))

    assert soon.get(NEW).status_code == 200
    assert "/auth/sign-in?again=1" in str(late.get(NEW).location)
    assert "/auth/sign-in?again=1" in str(late.get("/auth/sign-in/set-up").location)


def _later(record: Record, browser: FlaskClient, minutes: int) -> FlaskClient:
    """Return the same browser as it is minutes later."""
    clock = record.clock
    moved = replace(record, clock=lambda: clock() + minutes * MINUTE)
    later = create_app(moved).test_client()
    _same_cookies(browser, later)
    return later


def _same_cookies(one: FlaskClient, other: FlaskClient) -> None:
    cookie = one.get_cookie("ehr-session")
    assert cookie is not None
    other.set_cookie("ehr-session", cookie.value)
