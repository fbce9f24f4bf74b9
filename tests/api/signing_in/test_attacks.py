"""Attacks on signing in: guessing, listing users, planted sessions, forms of other sites."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth import tokens
from auth.models import attempt, browser_session
from auth.sign_in import attempts, credentials, sessions, users
from auth.surroundings import Surroundings
from tests.signing_in import (
    PASSWORD,
    code_of,
    csrf_in,
    gone_to,
    make_user,
    send,
    send_password,
    session_of,
    signed_in,
    somebody_in,
)


def test_t24_each_step_gives_a_new_session_and_ends_the_one_before(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)
    send_password(browser, known.user.login, known.password)
    planted = browser.get_cookie("ehr-session")
    assert planted is not None

    send(browser, "/auth/sign-in/second-factor", {"way": "totp", "code": code_of(known)})

    fresh = browser.get_cookie("ehr-session")
    assert fresh is not None
    assert fresh.value != planted.value
    assert sessions.current(around, planted.value) is None


def test_t24_a_cookie_that_somebody_made_up_is_never_a_session(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, "patient")
    browser.set_cookie("ehr-session", "planted", domain="localhost")

    signed_in(around, browser, known)

    assert sessions.current(around, "planted") is None


def test_the_cookie_can_be_read_by_no_script_and_sent_by_no_other_site(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, "patient")
    response = signed_in(around, browser, known)

    (cookie,) = (
        value
        for value in response.headers.getlist("Set-Cookie")
        if value.startswith("ehr-session=")
    )
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    with around.store.read() as connection:
        kept = connection.execute(select(browser_session.c.id_hash)).scalars().all()
    assert all(one not in cookie for one in kept)


def test_t24_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, "patient")

    wrong = send_password(browser, known.user.login, "not the password")
    other = browser.application.test_client()
    unknown = send_password(other, "nobody@example.org", "not the password")

    assert wrong.status_code == unknown.status_code == 422
    assert _plain(wrong, known.user.login) == _plain(unknown, "nobody@example.org")


def test_t24_an_answer_takes_as_long_whoever_is_named(
    around: Surroundings, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody, nobody, somebody shut out, and somebody who has no password."""
    # Other tests hash by less, to be quick.
    monkeypatch.setattr(credentials, "_HASHER", PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY))
    monkeypatch.setattr(credentials, "_NOBODY", [])
    known = make_user(around, "patient", login="known")
    closed = make_user(around, "patient", login="closed", fhir_user="Patient/closed").user
    bare = make_user(around, "patient", login="bare", fhir_user="Patient/bare").user
    now = around.clock()
    around.store.write(
        lambda connection: users.set_disabled(connection, closed.id, disabled=True, now=now)
    )
    around.store.write(lambda connection: credentials.remove_password(connection, bare.id))
    send_password(browser, "warm up", "not the password")

    took: dict[str, list[float]] = {}
    answers = {}
    for _ in range(4):
        for login in (known.user.login, closed.login, bare.login, "nobody"):
            stranger = browser.application.test_client()
            begun = time.process_time()
            answer = send_password(stranger, login, "not the password")
            took.setdefault(login, []).append(time.process_time() - begun)
            cookies = sorted(each.split("=")[0] for each in answer.headers.getlist("Set-Cookie"))
            answers[login] = (answer.status_code, cookies, _plain(answer, login))

    assert len({str(each) for each in answers.values()}) == 1
    # A hash needs some 100 ms of 64 MiB, all else a few: who leaves it out is found at once.
    least = [min(each) for each in took.values()]
    assert max(least) < 2 * min(least)


def test_t24_lock_out_is_the_same_for_known_and_unknown_names(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, "patient")
    login = known.user.login

    answers = [
        [send_password(browser, name, "not the password").status_code for _ in range(6)]
        for name in (login, "nobody@example.org")
    ]
    right = send_password(browser, login, PASSWORD)

    assert answers[0] == answers[1] == [422] * 5 + [429]
    assert right.status_code == 429
    assert "Too many attempts. Wait 1 minute, then try again." in right.text


def test_who_comes_while_too_many_passwords_are_checked_is_told_to_come_back(
    around: Surroundings, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_user(around, "patient")
    monkeypatch.setattr(credentials, "_ROOM", threading.BoundedSemaphore(1))

    with credentials._ROOM:
        busy = [send_password(browser, known.user.login, known.password) for _ in range(6)]
    right = send_password(browser, known.user.login, known.password)

    assert {each.status_code for each in busy} == {503}
    assert busy[0].headers["Retry-After"] == "5"
    assert "try again in a moment" in busy[0].text
    assert "You are being taken on" in right.text


def test_t24_lock_out_grows_and_ends(around: Surroundings, browser: FlaskClient) -> None:
    known = make_user(around, "patient")
    for _ in range(5):
        send_password(browser, known.user.login, "not the password")

    _pass_time(around)
    again = send_password(browser, known.user.login, "not the password")
    locked = send_password(browser, known.user.login, PASSWORD)
    _pass_time(around)
    right = send_password(browser, known.user.login, PASSWORD)

    assert again.status_code == 422
    assert "Wait 2 minutes" in locked.text
    assert "You are being taken on" in right.text


def test_t24_many_at_once_get_no_more_guesses(around: Surroundings) -> None:
    subject = attempts.of_login(around, "somebody")

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: attempts.take(around, [subject]), range(24)))

    assert waits.count(0) == 5


@pytest.mark.parametrize("proxy_address", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_t24_only_a_proxy_on_this_machine_tells_another_address(
    proxy_address: str, around: Surroundings, browser: FlaskClient
) -> None:
    def hashes(peer: str) -> set[str]:
        page = browser.get("/auth/sign-in")
        browser.post(
            "/auth/sign-in",
            data={"csrf": csrf_in(page), "login": "nobody", "password": "x"},
            headers={"X-Real-IP": "192.0.2.7"},
            environ_base={"REMOTE_ADDR": peer},
        )
        with around.store.read() as connection:
            return set(connection.execute(select(attempt.c.subject)).scalars())

    proxy = attempts.of_address(around, "192.0.2.7", "").hash
    stranger = attempts.of_address(around, "198.51.100.1", "").hash

    first = hashes("198.51.100.1")
    second = hashes(proxy_address)

    assert stranger in first
    assert proxy not in first
    assert proxy in second


def test_t24_second_factors_are_limited(around: Surroundings, browser: FlaskClient) -> None:
    known = make_user(around)
    send_password(browser, known.user.login, known.password)

    statuses = [
        send(browser, "/auth/sign-in/second-factor", {"way": "totp", "code": "000000"}).status_code
        for _ in range(6)
    ]

    assert statuses == [422] * 5 + [429]


def test_attempts_are_kept_without_the_names_that_were_tried(
    around: Surroundings, browser: FlaskClient
) -> None:
    """People type passwords into the wrong field."""
    send_password(browser, "my secret by mistake", "x")

    with around.store.read() as connection:
        kept = connection.execute(select(attempt.c.subject)).scalars().all()
    assert kept
    assert all("secret" not in one for one in kept)


@pytest.mark.parametrize("token", ["", "0" * 64], ids=["none", "made up"])
def test_t06_the_sign_in_form_of_another_site_is_refused(
    around: Surroundings, browser: FlaskClient, token: str
) -> None:
    """Login CSRF: whoever is signed in as somebody else writes into that record."""
    known = make_user(around, "patient")
    browser.get("/auth/sign-in")
    sent = {"login": known.user.login, "password": known.password, "csrf": token}

    response = browser.post("/auth/sign-in", data=sent)

    assert response.status_code == 403
    assert browser.get_cookie("ehr-session") is None


def test_t06_a_token_of_another_browser_is_refused(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, "patient")
    foreign = csrf_in(browser.application.test_client().get("/auth/sign-in"))
    browser.get("/auth/sign-in")

    sent = {"login": known.user.login, "password": known.password, "csrf": foreign}

    assert browser.post("/auth/sign-in", data=sent).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/auth/sign-out", "/auth/account/password", "/auth/account/app", "/auth/account/recovery"],
)
def test_t06_forms_of_an_account_need_its_own_token(
    around: Surroundings, browser: FlaskClient, path: str
) -> None:
    signed_in(around, browser, make_user(around))

    for token in ("", "0" * 64):
        assert browser.post(path, data={"csrf": token}).status_code == 403

    assert session_of(around, browser).complete


def test_t06_a_form_sent_by_another_site_is_refused_even_with_the_token(
    around: Surroundings, browser: FlaskClient
) -> None:
    signed_in(around, browser, make_user(around, "patient"))
    sent = {"csrf": session_of(around, browser).csrf}

    response = browser.post("/auth/sign-out", data=sent, headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 403


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example.org/",
        "//evil.example.org/",
        "/\\evil.example.org/",
        "javascript:alert(1)",
        "/auth/apps\r\nSet-Cookie: a=b",
        "evil",
    ],
)
def test_t01_nobody_is_sent_elsewhere_after_signing_in(
    around: Surroundings, browser: FlaskClient, next: str
) -> None:
    known = make_user(around, "patient")

    response = send_password(browser, known.user.login, known.password, next=next)

    assert gone_to(response) == "/auth/apps"


def test_t19_a_new_password_ends_all_that_was_open(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)
    other = browser.application.test_client()
    signed_in(around, other, known)
    signed_in(around, browser, known)
    before = session_of(around, browser)
    token = _token_of(around, known.user.id)

    response = send(
        browser,
        "/auth/account/password",
        {"password": PASSWORD, "new": "seven lanterns by the harbour"},
    )

    assert gone_to(response) == "/auth/account?told=password"
    assert session_of(around, browser).id_hash != before.id_hash
    assert other.get("/auth/account").location.startswith("/auth/sign-in?")
    with around.store.read() as connection:
        assert tokens.find(connection, token, now=around.clock()) is None
        assert not sessions.is_open(connection, before.id_hash, around.clock())


def test_t40_who_is_shut_out_has_no_session_any_more(
    around: Surroundings, browser: FlaskClient
) -> None:
    from auth.sign_in import users

    known = somebody_in(around, browser, "patient")

    around.store.write(
        lambda connection: users.set_disabled(
            connection, known.user.id, disabled=True, now=around.clock()
        )
    )

    assert browser.get("/auth/account").location.startswith("/auth/sign-in?")
    refused = send_password(browser, known.user.login, known.password)
    assert "The sign-in name or password is wrong" in refused.text


def test_t40_a_session_ends_with_the_role_it_was_opened_for(
    around: Surroundings, browser: FlaskClient
) -> None:
    from auth.models import user_role

    somebody_in(around, browser)

    around.store.write(
        lambda connection: connection.execute(update(user_role).values(ends=around.clock()))
    )

    assert browser.get("/auth/account").location.startswith("/auth/sign-in?")


def test_the_last_second_factor_of_staff_stays(around: Surroundings, browser: FlaskClient) -> None:
    signed_in(around, browser, make_user(around))

    response = send(browser, "/auth/account", {}, to="/auth/account/app/remove")

    assert response.status_code == 403
    assert "this is your last one" in response.text


def test_a_changed_account_asks_for_a_fresh_sign_in(
    around: Surroundings, browser: FlaskClient
) -> None:
    signed_in(around, browser, make_user(around, "patient"))
    around.store.write(
        lambda connection: connection.execute(
            update(browser_session).values(authenticated=around.clock() - 11 * 60_000)
        )
    )

    response = browser.get("/auth/account/password")

    assert response.location == "/auth/sign-in?again=1&next=%2Fauth%2Faccount%2Fpassword"


def _token_of(around: Surroundings, user_id: str) -> str:
    return around.store.write(
        lambda connection: tokens.create(
            connection, kind="professional", name="app", now=around.clock(), user_id=user_id
        )
    )


def _pass_time(around: Surroundings) -> None:
    """Let the lock-out in force end."""
    around.store.write(
        lambda connection: connection.execute(update(attempt).values(closed_until=around.clock()))
    )


def _plain(response: Any, login: str) -> str:
    csrf = csrf_in(response)
    text: str = response.text
    return text.replace(csrf, "").replace(login, "")
