"""T24, lock-out as a weapon: who knows a name can't shut its owner out of their own browsers."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from auth.sign_in import devices
from auth.surroundings import Surroundings
from tests.signing_in import (
    PASSWORD,
    code_of,
    make_user,
    send,
    send_password,
    signed_in,
    somebody_in,
)

FACTOR = "/auth/sign-in/second-factor"


def test_t24_strangers_do_not_lock_a_clinician_out_of_their_own_browser(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = somebody_in(around, browser)
    stranger = browser.application.test_client()

    tried = [_wrong(stranger, known.user.login) for _ in range(8)]
    elsewhere = send_password(browser.application.test_client(), known.user.login, PASSWORD)
    own = signed_in(around, browser, known)

    assert tried[-1] == 429
    assert elsewhere.status_code == 429  # a new browser of theirs has to wait
    assert "You are being taken on" in own.text


def test_t24_who_shares_the_address_does_not_lock_a_clinician_out(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = somebody_in(around, browser)
    stranger = browser.application.test_client()

    tried = [_wrong(stranger, f"user {n}") for n in range(52)]
    own = signed_in(around, browser, known)

    assert tried[-1] == 429
    assert "You are being taken on" in own.text


def test_t24_a_browser_that_is_known_has_a_budget_too(
    around: Surroundings, browser: FlaskClient
) -> None:
    """Who finds a ward's computer, or copies its cookie, guesses no more than others."""
    known = somebody_in(around, browser, "patient")
    copy = browser.application.test_client()
    copy.set_cookie("ehr-device", _cookie(browser))

    tried = [_wrong(each, known.user.login) for each in (browser, copy) * 3]
    other = send_password(browser.application.test_client(), known.user.login, PASSWORD)

    assert tried == [422] * 5 + [429]
    assert "You are being taken on" in other.text


def test_t24_signing_in_again_gives_no_new_budget_to_a_copied_cookie(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = somebody_in(around, browser, "patient")
    old = _cookie(browser)
    signed_in(around, browser, known)

    marks = {devices.mark_of(around, each, known.user.login) for each in (old, _cookie(browser))}

    assert len(marks) == 1
    assert None not in marks


def test_t24_the_cookie_of_one_person_is_worth_nothing_for_another(
    around: Surroundings, browser: FlaskClient
) -> None:
    mine = make_user(around, "patient", login="mallory", fhir_user="Patient/mallory")
    known = make_user(around, "patient")
    signed_in(around, browser, mine)
    stranger = browser.application.test_client()
    for _ in range(6):
        _wrong(stranger, known.user.login)

    assert send_password(browser, known.user.login, PASSWORD).status_code == 429
    assert send_password(browser, "nobody at all", PASSWORD).status_code == 422


@pytest.mark.parametrize("change", ["x", "", "a.1.b", "é" * 9, "a.1" * 1000])
def test_t24_a_cookie_that_somebody_made_up_is_a_strangers(
    around: Surroundings, browser: FlaskClient, change: str
) -> None:
    known = make_user(around, "patient")
    for cookie in (change, f"{devices.with_login(around, '', known.user.login)}{change or '0'}"):
        assert devices.mark_of(around, cookie, known.user.login) is None

    browser.set_cookie("ehr-device", change)
    assert [_wrong(browser, known.user.login) for _ in range(6)] == [422] * 5 + [429]


def test_t24_the_cookie_is_no_secret_that_signs_in_and_no_script_reads_it(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)
    first = send_password(browser, known.user.login, PASSWORD)
    answer = signed_in(around, browser, known)
    (cookie,) = (
        each for each in answer.headers.getlist("Set-Cookie") if each.startswith("ehr-device=")
    )
    other = browser.application.test_client()
    other.set_cookie("ehr-device", _cookie(browser))

    # The password alone makes no browser one of theirs.
    assert not [each for each in first.headers.getlist("Set-Cookie") if "ehr-device" in each]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=31536000" in cookie
    assert known.user.id not in cookie
    assert known.user.login not in cookie
    assert "/auth/sign-in" in str(other.get("/auth/account").location)
    assert "/auth/sign-in" in str(other.get(FACTOR).location)


def test_t24_wrong_codes_of_an_intruder_do_not_lock_the_owner_out(
    around: Surroundings, browser: FlaskClient
) -> None:
    """Who has the password, but no phone, closes the codes to themselves alone."""
    known = somebody_in(around, browser)
    intruder = browser.application.test_client()
    send_password(intruder, known.user.login, PASSWORD)
    for _ in range(6):
        last = send(intruder, FACTOR, {"way": "totp", "code": "000000"})
    right = send(intruder, FACTOR, {"way": "totp", "code": code_of(known)})

    own = signed_in(around, browser, known)

    assert last.status_code == right.status_code == 429
    assert "You are being taken on" in own.text


def test_a_ward_shares_a_browser(around: Surroundings) -> None:
    cookie = ""
    for n in range(devices.MOST + 1):
        cookie = devices.with_login(around, cookie, f"nurse {n}")

    known = [devices.mark_of(around, cookie, f"nurse {n}") for n in range(devices.MOST + 1)]

    assert known[0] is None
    assert len(set(known)) == devices.MOST + 1
    assert len(cookie) < 2000


def test_a_browser_is_forgotten_after_a_year(around: Surroundings) -> None:
    cookie = devices.with_login(around, "", "anna")
    now = around.clock()
    later = replace(around, clock=lambda: now + devices.LIFE)

    assert devices.mark_of(around, cookie, "anna") is not None
    assert devices.mark_of(later, cookie, "anna") is None


def _wrong(browser: FlaskClient, login: str) -> int:
    return send_password(browser, login, "not the password").status_code


def _cookie(browser: FlaskClient) -> str:
    found = browser.get_cookie("ehr-device")
    assert found is not None
    return found.value
