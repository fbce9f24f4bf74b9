"""Passkeys: made, used, removed; and every way in which one does not count."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.sign_in import passkeys
from auth.surroundings import Surroundings
from tests.authenticator import FLAG, Authenticator
from tests.passkey_pages import NEW, USE, add, options_in, send_answer
from tests.signing_in import (
    Known,
    csrf_in,
    gone_to,
    make_user,
    send_password,
    session_of,
    somebody_in,
)


@pytest.fixture
def record_settings() -> dict[str, str]:
    """Give the record a name: passkeys are bound to one."""
    return {"EHR_BASE_URL": "http://localhost:8000/fhir"}


def test_a_passkey_is_set_up_and_signs_in(
    around: Surroundings, browser: FlaskClient, known: Known
) -> None:
    key = Authenticator()

    added = add(browser, known, key)
    first = session_of(around, browser)
    response = _use(browser, known, key)

    assert "Write down your recovery codes" in added.text
    assert first.complete
    assert gone_to(response) == "/auth/apps"
    assert session_of(around, browser).amr == ("pwd", "hwk", "mfa")


@pytest.mark.parametrize(
    "key",
    [
        Authenticator(origin="http://evil.example.org"),
        Authenticator(origin="https://localhost:8000"),
        Authenticator(flags=FLAG.UP),
        Authenticator(flags=FLAG.UV),
    ],
    ids=["other origin", "other scheme", "owner not checked", "owner not there"],
)
def test_a_passkey_is_not_taken_from_elsewhere_or_unchecked(
    around: Surroundings, browser: FlaskClient, known: Known, key: Authenticator
) -> None:
    response = add(browser, known, key)

    assert response.status_code == 422
    assert not session_of(around, browser).complete


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.example.org"},
        {"flags": FLAG.UP},
        {"counter": 0},
        {"id": b"another passkey"},
        {"key": Authenticator().key},
    ],
    ids=["phished", "owner not checked", "copied", "unknown", "other key"],
)
def test_t24_a_passkey_that_does_not_fit_is_refused(
    around: Surroundings, browser: FlaskClient, known: Known, change: dict[str, object]
) -> None:
    key = Authenticator()
    add(browser, known, key)

    response = _use(browser, known, replace(key, **change))

    assert response.status_code == 422
    assert not session_of(around, browser).complete


def test_a_passkey_of_another_server_is_refused(browser: FlaskClient, known: Known) -> None:
    key = Authenticator()
    add(browser, known, key)
    send_password(browser, known.user.login, known.password)
    page = browser.get(USE)

    answer = key.use(options_in(page), rp="evil.example.org")

    assert send_answer(browser, page, USE, answer).status_code == 422


def test_a_challenge_counts_once(browser: FlaskClient, known: Known) -> None:
    key = Authenticator()
    add(browser, known, key)
    send_password(browser, known.user.login, known.password)
    page = browser.get(USE)

    refused = send_answer(browser, page, USE, replace(key, flags=FLAG.UP).use(options_in(page)))
    late = send_answer(browser, page, USE, key.use(options_in(page)))

    assert refused.status_code == late.status_code == 422


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"id": 1}', '{"response": {}}', "x"])
def test_an_answer_that_is_none_is_refused(browser: FlaskClient, known: Known, answer: str) -> None:
    send_password(browser, known.user.login, known.password)
    page = browser.get(NEW)

    assert send_answer(browser, page, NEW, answer).status_code == 422


def test_a_passkey_is_of_one_user(around: Surroundings, browser: FlaskClient, known: Known) -> None:
    key = Authenticator()
    add(browser, known, key)
    other = make_user(around, login="other", fhir_user="Practitioner/other", with_totp=False)
    stranger = browser.application.test_client()

    response = add(stranger, other, replace(key, counter=1))

    assert response.status_code == 422


def test_a_passkey_is_removed_by_its_owner(around: Surroundings, browser: FlaskClient) -> None:
    known = somebody_in(around, browser)
    page = browser.get(NEW)
    send_answer(browser, page, NEW, Authenticator().make(options_in(page)))
    with around.store.read() as connection:
        (kept,) = passkeys.of_user(connection, known.user.id)

    overview = browser.get("/auth/account")
    browser.post("/auth/account/passkeys/remove", data={"csrf": csrf_in(overview), "id": kept.id})

    assert "work laptop" in overview.text
    with around.store.read() as connection:
        assert passkeys.of_user(connection, known.user.id) == []


def _use(browser: FlaskClient, known: Known, key: Authenticator) -> TestResponse:
    send_password(browser, known.user.login, known.password)
    page = browser.get(USE)
    return send_answer(browser, page, USE, key.use(options_in(page)))
