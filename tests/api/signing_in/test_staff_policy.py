"""EHR_STAFF_SIGN_IN=passkey: no professional comes in by less, at any door (T24)."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from auth.authorizing import authorizations, permissible
from auth.jose import id_token
from auth.sign_in import sessions
from auth.sign_in.sessions import Step
from auth.surroundings import Surroundings
from ehr.app import create_app, surroundings_of
from ehr.record import Record
from ehr.settings import SettingsError, load
from tests import token_flow as flow
from tests.authenticator import Authenticator
from tests.passkey_pages import NEW, USE, options_in, send_answer
from tests.signing_in import (
    Known,
    code_of,
    make_user,
    send,
    send_password,
    session_of,
    signed_in,
)

SET_UP, APPS = "/auth/sign-in/set-up", "/auth/apps"


@pytest.fixture
def record_settings() -> dict[str, str]:
    """Give a record whose staff come in by passkeys."""
    return {"EHR_BASE_URL": "http://localhost:8000/fhir", "EHR_STAFF_SIGN_IN": "passkey"}


def test_t24_two_factors_are_not_enough_and_lead_to_a_passkey(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)
    send_password(browser, known.user.login, known.password, next="/auth/launch")
    shown = send(browser, USE, {"way": "totp", "code": code_of(known)})
    page = browser.get(SET_UP)
    doors = [browser.get(each) for each in (APPS, "/auth/account", "/auth/launch", "/auth/invite")]
    added = _answered(browser, Authenticator())

    assert shown.location == SET_UP
    assert "Staff sign in here with a passkey" in page.text
    assert "authenticator app" not in page.text
    assert all("/auth/sign-in" in str(each.location) for each in doors)
    assert "/auth/launch" in added
    session = session_of(around, browser)
    assert (session.complete, session.acr) == (True, "phr")
    assert {"pwd", "otp", "hwk", "mfa"} == set(session.amr)


def test_an_app_is_told_of_the_passkey(around: Surroundings, browser: FlaskClient) -> None:
    known = make_user(around)
    _first_time(browser, known, Authenticator())
    app = flow.app(around)
    asked = flow.request(around, app)
    granted = permissible.grantable(asked)

    url = authorizations.approve(around, asked, session_of(around, browser), granted, {})
    told = flow.exchange(browser, app, flow.answer_in(url)["code"]).get_json()

    claims = id_token.of_ours(around, told["id_token"])
    assert claims is not None
    assert claims["acr"] == "phr"
    assert {"hwk", "mfa"} <= set(claims["amr"])


def test_t24_nobody_adds_a_passkey_by_a_password_alone_who_has_an_app(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)
    send_password(browser, known.user.login, known.password)

    assert "/auth/sign-in" in str(browser.get(NEW).location)


def test_t24_who_has_a_passkey_comes_in_by_nothing_else(
    around: Surroundings, browser: FlaskClient
) -> None:
    """A code that was phished opens nothing, and makes no passkey of the thief's."""
    known, key = make_user(around), Authenticator()
    _first_time(browser, known, key)
    thief = browser.application.test_client()
    send_password(thief, known.user.login, known.password)
    page = thief.get(USE)
    answer = send(thief, USE, {"way": "totp", "code": code_of(known, 1)})

    assert "Code from your authenticator app" not in page.text
    assert answer.location == USE
    assert thief.get(NEW).location is not None
    assert not session_of(around, thief).complete


def test_t24_the_last_passkey_stays(around: Surroundings, browser: FlaskClient) -> None:
    known, key = make_user(around), Authenticator()
    _first_time(browser, known, key)
    own = session_of(around, browser)

    answer = browser.post("/auth/account/passkeys/remove", data={"csrf": own.csrf, "id": "x"})

    assert answer.status_code == 403
    assert "this is your last one" in answer.text


def test_t24_a_session_that_claims_to_be_complete_is_not(around: Surroundings) -> None:
    """Enforced at the session: whoever begins one, and one from before the policy, lacks it."""
    known = make_user(around)
    step = Step(known.user.id, ("pwd", "otp", "mfa"), complete=True, role_number=1)

    cookie, begun = sessions.begin(around, step)
    read = sessions.current(around, cookie)

    assert not begun.complete
    assert read is not None
    assert not read.complete


def test_t24_a_stricter_policy_ends_what_was_complete(record: Record, around: Surroundings) -> None:
    loose = replace(record, settings=replace(record.settings, staff_sign_in="second-factor"))
    known, before = make_user(around), create_app(loose).test_client()
    signed_in(loose, before, known)
    cookie = before.get_cookie("ehr-session")
    assert cookie is not None
    after = create_app(record).test_client()
    after.set_cookie("ehr-session", cookie.value)

    assert before.get(APPS).status_code == 200
    assert "/auth/sign-in" in str(after.get(APPS).location)
    assert after.get("/auth/sign-in").location == SET_UP


@pytest.mark.parametrize("lasting", ["offline_access", "online_access"])
def test_t24_a_stricter_policy_ends_what_an_app_was_granted_before(
    record: Record, around: Surroundings, lasting: str
) -> None:
    loose = replace(record, settings=replace(record.settings, staff_sign_in="second-factor"))
    app, doctor = flow.app(around), flow.person(around)
    code = flow.code(surroundings_of(loose), app, doctor, scope=f"user/*.rs {lasting}")
    before, after = create_app(loose).test_client(), create_app(record).test_client()
    told = flow.exchange(before, app, code).get_json()

    kept = flow.refresh(before, app, told["refresh_token"])
    refused = flow.refresh(after, app, kept.get_json()["refresh_token"])
    again = flow.refresh(before, app, kept.get_json()["refresh_token"])

    assert kept.status_code == 200
    assert [one.get_json()["error"] for one in (refused, again)] == ["invalid_grant"] * 2


def test_patients_are_not_asked(around: Surroundings, browser: FlaskClient) -> None:
    known = make_user(around, "patient")

    signed_in(around, browser, known)

    assert session_of(around, browser).complete


@pytest.mark.parametrize("base", ["", "https://192.0.2.1/fhir", "http://record.example.org/fhir"])
def test_a_policy_that_nobody_can_meet_is_refused(record: Record, base: str) -> None:
    settings = load({"EHR_STAFF_SIGN_IN": "passkey", "EHR_BASE_URL": base})

    with pytest.raises(SettingsError, match="over https"):
        create_app(replace(record, settings=settings))


def _first_time(browser: FlaskClient, known: Known, key: Authenticator) -> None:
    send_password(browser, known.user.login, known.password)
    send(browser, USE, {"way": "totp", "code": code_of(known)})
    _answered(browser, key)


def _answered(browser: FlaskClient, key: Authenticator) -> str:
    page = browser.get(NEW)
    answer = send_answer(browser, page, NEW, key.make(options_in(page)))
    return answer.text
