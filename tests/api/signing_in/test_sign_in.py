"""Signing in by password, second factor and role; and out again."""

import re
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, select, update

from auth.models import attempt, browser_session
from auth.sign_in import attempts, credentials, one_time_codes, sessions
from auth.sign_in.users import Role
from auth.surroundings import Surroundings
from tests import signing_in
from tests.client import Client
from tests.signing_in import GP, make_user, send, send_password, session_of, signed_in, somebody_in


def test_a_professional_signs_in_with_two_factors(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)

    response = signed_in(around, browser, known, next="/auth/apps?x=1")

    assert signing_in.gone_to(response) == "/auth/apps?x=1"


def test_a_patient_signs_in_with_a_password(around: Surroundings, browser: FlaskClient) -> None:
    known = make_user(around, "patient", fhir_user="Patient/p1", patients=["p1"])

    response = send_password(browser, "PATIENT@example.org ", known.password)

    assert "You are being taken on" in response.text


def test_who_has_several_roles_chooses_one(around: Surroundings, browser: FlaskClient) -> None:
    known = make_user(around, roles=[GP, Role("urgent", "Doctor at Urgent Care")])

    signed_in(around, browser, known, role=2)

    assert session_of(around, browser).role == Role("urgent", "Doctor at Urgent Care", number=2)


def test_a_role_of_somebody_else_is_refused(around: Surroundings, browser: FlaskClient) -> None:
    known = make_user(around, roles=[GP, Role("urgent", "Doctor at Urgent Care")])
    send_password(browser, known.user.login, known.password)
    send(
        browser,
        "/auth/sign-in/second-factor",
        {"way": "totp", "code": signing_in.code_of(known)},
    )

    response = send(browser, "/auth/sign-in/role", {"role": "3"})

    assert response.status_code == 422
    assert "Choose the role in which you work now." in response.text


def test_an_app_asks_for_a_code_where_a_patient_has_one(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, "patient", with_totp=True)

    response = send_password(browser, known.user.login, known.password)

    assert response.location == "/auth/sign-in/second-factor"
    assert not session_of(around, browser).complete


def test_a_professional_without_a_second_factor_sets_one_up_first(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, with_totp=False)

    first = send_password(browser, known.user.login, known.password, next="/auth/apps")
    elsewhere = browser.get("/auth/account")
    secret = _secret_in(browser.get("/auth/account/app").text)
    page = browser.post(
        "/auth/account/app",
        data={"csrf": session_of(around, browser).csrf, "code": pyotp.TOTP(secret).now()},
    )

    assert first.location == "/auth/sign-in/set-up"
    assert elsewhere.location.startswith("/auth/sign-in?")
    assert len(re.findall("<li><code>", page.text)) == 10
    assert 'href="/auth/apps"' in page.text
    session = session_of(around, browser)
    assert session.complete
    assert session.amr == ("pwd", "otp", "mfa")


def test_t24_an_app_in_place_of_another_ends_what_was_open_elsewhere(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)
    elsewhere = browser.application.test_client()
    signed_in(around, elsewhere, known)
    signed_in(around, browser, known)

    secret = _secret_in(browser.get("/auth/account/app").text)
    sent = {"csrf": session_of(around, browser).csrf, "code": pyotp.TOTP(secret).now()}
    browser.post("/auth/account/app", data=sent)

    assert browser.get("/auth/account").status_code == 200
    assert elsewhere.get("/auth/account").status_code == 303


def test_a_code_counts_once(around: Surroundings, browser: FlaskClient) -> None:
    """T24: who looks over a shoulder gains nothing."""
    known = somebody_in(around, browser)
    code = signing_in.code_of(known)
    other = browser.application.test_client()
    send_password(other, known.user.login, known.password)

    response = send(other, "/auth/sign-in/second-factor", {"way": "totp", "code": code})

    assert response.status_code == 422
    assert "used already" in response.text


@pytest.mark.parametrize("offset", [-2, 2])
def test_codes_of_a_minute_ago_or_ahead_are_refused(
    around: Surroundings, browser: FlaskClient, offset: int
) -> None:
    known = make_user(around)
    send_password(browser, known.user.login, known.password)

    code = signing_in.code_of(known, offset)
    response = send(browser, "/auth/sign-in/second-factor", {"way": "totp", "code": code})

    assert response.status_code == 422


def test_a_recovery_code_signs_in_once(around: Surroundings, browser: FlaskClient) -> None:
    known = make_user(around)
    codes = around.store.write(
        lambda connection: one_time_codes.new_recovery_codes(connection, around, known.user.id)
    )

    answers = []
    for _ in range(2):
        send_password(browser, known.user.login, known.password)
        answers.append(
            send(
                browser,
                "/auth/sign-in/second-factor",
                {"way": "recovery", "recovery": codes[3].upper()},
            )
        )

    assert "You are being taken on" in answers[0].text
    assert answers[1].status_code == 422


def test_an_account_says_how_many_recovery_codes_are_left(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)
    codes = around.store.write(
        lambda connection: one_time_codes.new_recovery_codes(connection, around, known.user.id)
    )
    signed_in(around, browser, known)

    for code in codes[1:]:
        one_time_codes.use_recovery_code(around, known.user.id, code)
    assert "You have 1 left" in browser.get("/auth/account").text
    one_time_codes.use_recovery_code(around, known.user.id, codes[0])
    assert "You have none left." in browser.get("/auth/account").text


def test_signing_out_ends_the_session_and_what_lasts_as_long(
    around: Surroundings, browser: FlaskClient
) -> None:
    somebody_in(around, browser, "patient")
    session = session_of(around, browser)

    response = browser.post("/auth/sign-out", data={"csrf": session.csrf})

    assert response.location == "/auth/sign-in"
    assert browser.get_cookie("ehr-session") is None
    with around.store.read() as connection:
        assert not sessions.is_open(connection, session.id_hash, around.clock())


def test_a_hash_by_older_parameters_is_made_anew(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, "patient")
    old = PasswordHasher(time_cost=1, memory_cost=8192).hash(known.password)
    around.store.write(
        lambda connection: credentials.set_hash(connection, known.user.id, old, around.clock())
    )

    signed_in(around, browser, known)

    with around.store.read() as connection:
        kept = credentials.stored(connection, known.user.id)
    assert kept is not None
    assert not credentials.is_outdated(kept)
    assert credentials.is_right(kept, known.password)


def test_a_session_ends_when_it_is_not_used_or_too_old(
    around: Surroundings, browser: FlaskClient
) -> None:
    somebody_in(around, browser, "patient")
    session = session_of(around, browser)
    minutes = 60_000
    now = around.clock()

    def is_open(minutes_later: int, seen_after: int = 0) -> bool:
        def work(connection: Connection) -> bool:
            connection.execute(update(browser_session).values(seen=now + seen_after * minutes))
            return sessions.is_open(connection, session.id_hash, now + minutes_later * minutes)

        return around.store.write(work)

    assert is_open(29)
    assert not is_open(31)
    assert is_open(719, seen_after=718)
    assert not is_open(721, seen_after=720)


def test_what_ended_long_ago_is_forgotten(around: Surroundings, browser: FlaskClient) -> None:
    known = somebody_in(around, browser, "patient")
    attempts.take(around, [attempts.of_login(around, "somebody")])
    days = 86_400_000

    def grow_old(connection: Connection) -> None:
        connection.execute(update(browser_session).values(expires=around.clock() - 31 * days))
        connection.execute(update(attempt).values(since=around.clock() - 2 * days))

    around.store.write(grow_old)
    signed_in(around, browser.application.test_client(), known)

    with around.store.read() as connection:
        counted = connection.execute(select(func.count()).select_from(attempt)).scalar_one()
        kept = connection.execute(select(func.count()).select_from(browser_session)).scalar_one()
    assert kept == 1
    assert counted <= 1


@pytest.mark.parametrize(
    "change",
    [
        {"deceasedBoolean": True},
        {"deceasedDateTime": "2026-10-01"},
        {"active": False},
        {"link": [{"type": "replaced-by", "other": {"reference": "Patient/patient"}}]},
    ],
    ids=["dead", "dead since", "inactive", "merged"],
)
def test_dead_and_merged_patients_are_refused(
    around: Surroundings, browser: FlaskClient, client: Client, change: dict[str, Any]
) -> None:
    known = make_user(around, "patient", patients=["patient"])
    client.update({**client.read("Patient/patient"), **change})

    response = send_password(browser, known.user.login, known.password)

    assert response.status_code == 403
    assert "This can&#39;t be done" in response.text
    assert browser.get_cookie("ehr-session") is None


def _secret_in(text: str) -> str:
    found = re.search("Key: <code>([A-Z2-7 ]+)</code>", text)
    assert found is not None, text
    return found[1].replace(" ", "")


@pytest.mark.parametrize(
    ("login", "password", "told"),
    [
        ("", "", {"Enter your sign-in name", "Enter your password"}),
        ("ada@example.org", "", {"Enter your password"}),
        ("", "x", {"Enter your sign-in name"}),
    ],
)
def test_each_empty_field_is_told_of(
    browser: FlaskClient, login: str, password: str, told: set[str]
) -> None:
    page = send_password(browser, login, password)

    assert page.status_code == 422
    assert set(re.findall("Enter your [a-z-]+(?: name)?", page.text)) == told


def test_an_empty_password_is_not_called_wrong(around: Surroundings, browser: FlaskClient) -> None:
    signed_in(around, browser, make_user(around))

    page = send(browser, "/auth/account/password", {"password": "", "new": "four words as a door"})

    assert page.status_code == 422
    assert "Enter your password." in page.text


@pytest.mark.parametrize(
    ("kind", "role", "manages", "links"),
    [
        ("patient", "", False, set()),
        ("professional", "gp", False, {"/auth/launch"}),
        ("professional", "gp", True, {"/auth/launch", "/auth/invite"}),
        ("professional", "receptionist", False, {"/auth/launch"}),
        (
            "professional",
            "receptionist",
            True,
            {"/auth/launch", "/auth/invite", "/auth/patients/new"},
        ),
    ],
)
def test_each_page_leads_to_what_somebody_may_do(
    around: Surroundings,
    browser: FlaskClient,
    kind: str,
    role: str,
    manages: bool,
    links: set[str],
) -> None:
    roles = [replace(GP, role=role, manages=manages)] if kind == "professional" else []
    signed_in(around, browser, make_user(around, kind, roles=roles))

    footer = browser.get("/auth/apps").text.partition("<footer")[2]

    assert set(re.findall('href="([^"]+)"', footer)) == {"/auth/account", "/auth/apps", *links}
