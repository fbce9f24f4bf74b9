"""Signing in with a passkey alone, and every way in which it does not count (T24)."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from fido2.utils import websafe_encode
from flask.testing import FlaskClient
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from auth.sign_in import passkey_sign_in, passkeys, users
from auth.surroundings import Surroundings
from tests.authenticator import FLAG, Authenticator
from tests.passkey_pages import add, options_in
from tests.signing_in import (
    Known,
    csrf_in,
    gone_to,
    send_password,
    session_of,
)

START, SEND = "/auth/sign-in?again=1", "/auth/sign-in/passkey"


@pytest.fixture
def record_settings() -> dict[str, str]:
    """Give the record a name: passkeys are bound to one."""
    return {"EHR_BASE_URL": "http://localhost:8000/fhir"}


@pytest.fixture
def key(browser: FlaskClient, known: Known) -> Authenticator:
    """Give the passkey of that professional."""
    made = Authenticator()
    add(browser.application.test_client(), known, made)
    return made


def test_a_passkey_alone_signs_in(
    around: Surroundings, browser: FlaskClient, known: Known, key: Authenticator
) -> None:
    page = browser.get(f"{START}&next=/auth/launch")

    answer = _send(browser, page, key.use(options_in(page)))

    session = session_of(around, browser)
    assert gone_to(answer) == "/auth/launch"
    assert session.user.id == known.user.id
    assert (session.complete, session.amr, session.acr) == (True, ("hwk", "mfa"), "phr")
    assert '"allowCredentials"' not in options_in(page)
    assert '"userVerification": "required"' in options_in(page)


def test_t24_wrong_passwords_do_not_close_a_passkey(
    browser: FlaskClient, known: Known, key: Authenticator
) -> None:
    stranger = browser.application.test_client()
    tried = [send_password(stranger, known.user.login, "not the password") for _ in range(6)]
    tried += [send_password(stranger, f"user {n}", "not the password") for n in range(52)]
    page = browser.get(START)

    answer = _send(browser, page, key.use(options_in(page)))

    assert tried[5].status_code == tried[-1].status_code == 429
    assert "You are being taken on" in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.example.org"},
        {"flags": FLAG.UP},
        {"flags": FLAG.UV},
        {"counter": 0},
        {"id": b"another passkey"},
        {"key": Authenticator().key},
        {"owner": b"somebody else"},
        {"owner": b""},
    ],
    ids=["phished", "owner not checked", "not there", "copied", "unknown", "key", "owner", "none"],
)
def test_t24_a_passkey_that_does_not_fit_signs_nobody_in(
    browser: FlaskClient, key: Authenticator, change: dict[str, Any]
) -> None:
    page = browser.get(START)

    answer = _send(browser, page, replace(key, **change).use(options_in(page)))

    assert answer.status_code == 422
    assert "The passkey was not accepted" in answer.text
    assert browser.get_cookie("ehr-session") is None


def test_t24_an_answer_counts_once(browser: FlaskClient, known: Known) -> None:
    """Also of a passkey that has no counter, and of eight at once."""
    key = Authenticator(counter=0)
    add(browser.application.test_client(), known, key)
    page = browser.get(START)
    key.counter = -1
    said = key.use(options_in(page))
    visit = browser.get_cookie("ehr-visit")
    assert visit is not None

    def replay(_: int) -> int:
        other = browser.application.test_client()
        other.set_cookie("ehr-visit", visit.value)
        return _send(other, page, said).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(replay, range(8)))

    assert sorted(statuses) == [200] + [422] * 7


def test_t24_a_challenge_is_for_one_browser_and_ten_minutes(
    around: Surroundings, key: Authenticator
) -> None:
    options, ticket = passkey_sign_in.begin(around, "this browser")
    said = key.use(options)
    now = around.clock()
    late = replace(around, clock=lambda: now + 11 * 60_000)

    assert passkey_sign_in.finish(around, "another browser", ticket, said) is None
    assert passkey_sign_in.finish(late, "this browser", ticket, said) is None
    assert passkey_sign_in.finish(around, "this browser", f"A{ticket[1:]}", said) is None
    assert passkey_sign_in.finish(around, "this browser", ticket, said) is not None


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"id": 1}', '{"response": {}}', "x"])
def test_an_answer_that_is_none_is_refused(browser: FlaskClient, answer: str) -> None:
    page = browser.get(START)

    assert _send(browser, page, answer).status_code == 422
    assert browser.post(SEND, data={"credential": answer}).status_code == 403


def test_t24_who_is_shut_out_stays_out(
    around: Surroundings, browser: FlaskClient, known: Known, key: Authenticator
) -> None:
    def shut(connection: Connection) -> None:
        users.set_disabled(connection, known.user.id, disabled=True, now=around.clock())

    around.store.write(shut)
    page = browser.get(START)

    assert _send(browser, page, key.use(options_in(page))).status_code == 422


def test_a_passkey_that_was_removed_signs_nobody_in(
    around: Surroundings, browser: FlaskClient, known: Known, key: Authenticator
) -> None:
    around.store.write(lambda connection: passkeys.remove(connection, known.user.id))
    page = browser.get(START)

    assert _send(browser, page, key.use(options_in(page))).status_code == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"authenticatorData": b"x" * 36},
        {"authenticatorData": b"x" * 32 + b"\x40" + b"\0" * 4 + b"x" * 17},
        {"authenticatorData": b"x" * 32 + b"\xc0" + b"\0" * 20 + b"\0\0" + b"\x81" * 9000},
        {"clientDataJSON": b"[" * 20_000},
    ],
    ids=["short", "cut off", "deep", "deep text"],
)
def test_t24_what_no_browser_sends_is_refused_and_no_fault_of_ours(
    browser: FlaskClient, key: Authenticator, changes: dict[str, bytes]
) -> None:
    page = browser.get(START)
    answer = json.loads(key.use(options_in(page)))
    answer["response"] |= {name: websafe_encode(value) for name, value in changes.items()}

    assert _send(browser, page, json.dumps(answer)).status_code == 422
    assert _send(browser, page, "[" * 20_000).status_code == 422


def _send(browser: FlaskClient, page: TestResponse, answer: str) -> TestResponse:
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    target = re.search(r'name="next" value="([^"]+)"', page.text)
    assert ticket is not None, page.text
    sent = {
        "csrf": csrf_in(page),
        "ticket": unescape(ticket[1]),
        "credential": answer,
        "next": unescape(target[1]) if target else "",
    }
    return browser.post(SEND, data=sent)
