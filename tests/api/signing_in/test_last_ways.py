"""Nobody takes away their last way to sign in, not by two forms at once either (T24)."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from sqlalchemy import Connection, delete, func, insert, select
from werkzeug.test import TestResponse

from auth.authorizing import authorizations
from auth.models import browser_session, identity, password
from auth.models import passkey as passkeys
from auth.sign_in import one_time_codes, sessions
from auth.sign_in import passkeys as passkey_ceremonies
from auth.sign_in.sessions import Step
from auth.sign_in.users import User
from auth.surroundings import Surroundings
from tests import token_flow as flow
from tests.authenticator import Authenticator
from tests.signing_in import make_user

ISSUERS = {"one": "https://one.example.org", "two": "https://two.example.org"}
ACCOUNT = "/auth/account"


@pytest.fixture
def record_settings(tmp_path: Path) -> dict[str, str]:
    """Name two providers to the record."""
    key = ECKey.generate_key("P-256", {"kid": "ours", "alg": "ES256"}).as_dict(private=True)
    told = [
        {"id": id, "name": id, "issuer": issuer, "client_id": "record", "key": key}
        for id, issuer in ISSUERS.items()
    ]
    file = tmp_path / "upstream.json"
    file.write_text(json.dumps(told), "utf-8")
    return {"EHR_UPSTREAM": str(file), "EHR_BASE_URL": "http://localhost:8000/fhir"}


@pytest.fixture
def mary(around: Surroundings) -> User:
    """Give a patient who has no password, and no other way to sign in either."""
    user = make_user(around, "patient").user
    around.store.write(lambda connection: connection.execute(delete(password)))
    return user


def test_t24_the_only_account_elsewhere_stays(
    around: Surroundings, browser: FlaskClient, mary: User
) -> None:
    _link(around, mary, "one")

    answer = _unlink(around, browser, mary, "one")()

    assert answer.status_code == 403
    assert "your only way to sign in" in answer.text
    assert _linked(around, mary) == ["one"]


def test_t24_two_accounts_removed_at_once_leave_one(
    around: Surroundings, browser: FlaskClient, mary: User
) -> None:
    for _ in range(6):
        _link(around, mary, "one", "two")
        sent = [_unlink(around, browser, mary, each) for each in ISSUERS]
        _at_once(sent)

        assert len(_linked(around, mary)) == 1


def test_t24_an_account_of_a_provider_that_is_gone_is_no_way_in(
    around: Surroundings, browser: FlaskClient, mary: User
) -> None:
    _link(around, mary, "one", "gone")

    answer = _unlink(around, browser, mary, "one")()

    assert answer.status_code == 403


def test_an_account_elsewhere_goes_where_a_passkey_signs_in_alone(
    around: Surroundings, browser: FlaskClient, mary: User
) -> None:
    _link(around, mary, "one")
    _add_passkeys(around, mary, "a")

    answer = _unlink(around, browser, mary, "one")()

    assert answer.status_code == 200
    assert _linked(around, mary) == []


def test_t24_the_passkey_that_signs_in_alone_stays(
    around: Surroundings, browser: FlaskClient, mary: User
) -> None:
    _add_passkeys(around, mary, "a")

    answer = _remove_passkey(around, browser, mary, "a")()

    assert answer.status_code == 403
    assert "your only way to sign in" in answer.text
    assert _passkeys(around, mary) == 1


def test_t24_staff_keep_a_second_factor_when_two_are_removed_at_once(
    around: Surroundings, browser: FlaskClient
) -> None:
    """Who has none sets one up after a password alone: a thief of it would set up theirs."""
    doctor = make_user(around, with_totp=False).user
    for _ in range(6):
        around.store.write(lambda connection: connection.execute(delete(passkeys)))
        _add_passkeys(around, doctor, "a", "b")
        sent = [_remove_passkey(around, browser, doctor, each) for each in ("a", "b")]
        _at_once(sent)

        with around.store.read() as connection:
            assert one_time_codes.factors_of(connection, doctor.id).passkeys == 1


def test_t24_no_two_sessions_come_of_one(
    around: Surroundings, browser: FlaskClient, mary: User
) -> None:
    """Else a form under way would outlive the change of a password that ends all sessions."""
    _add_passkeys(around, mary, "a", "b", "c", "d")
    cookie, session = sessions.begin(around, Step(mary.id, ("hwk", "mfa"), complete=True))
    sent = [
        _post(browser, cookie, f"{ACCOUNT}/passkeys/remove", csrf=session.csrf, id=each)
        for each in ("a", "b", "c")
    ]

    answers = _at_once(sent)

    assert sorted(one.status_code for one in answers) == [200, 303, 303]
    with around.store.read() as connection:
        open_ones = browser_session.c.ended.is_(None)
        assert connection.execute(select(func.count()).where(open_ones)).scalar_one() == 1


def test_t19_a_session_that_ended_meanwhile_leaves_nothing(
    around: Surroundings, browser: FlaskClient
) -> None:
    """A request that was let in just before makes no passkey and no grant just after."""
    known, key = make_user(around, "patient"), Authenticator()
    _, session = sessions.begin(around, Step(known.user.id, ("pwd",), complete=True))
    begun = passkey_ceremonies.begin_registration(around, known.user)
    asked = flow.request(around, flow.app(around), scope="openid offline_access")
    sessions.end(around, session)

    with pytest.raises(sessions.Over):
        passkey_ceremonies.finish_registration(
            around, session, begun.kept, key.make(begun.options), "a thief's"
        )
    with pytest.raises(sessions.Over):
        authorizations.approve(around, asked, session, asked.scopes, {})

    assert _passkeys(around, known.user) == 0


def _link(around: Surroundings, user: User, *ids: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute(delete(identity))
        for id in ids:
            issuer = ISSUERS.get(id, f"https://{id}.example.org")
            values = {"issuer": issuer, "subject": id, "user_id": user.id, "level": "", "linked": 1}
            connection.execute(insert(identity).values(values))

    around.store.write(work)


def _add_passkeys(around: Surroundings, user: User, *ids: str) -> None:
    def work(connection: Connection) -> None:
        for id in ids:
            values = {"credential_id": id, "user_id": user.id, "public_key": b"", "name": id}
            connection.execute(insert(passkeys).values(**values, sign_count=0, created=1))

    around.store.write(work)


def _unlink(
    around: Surroundings, browser: FlaskClient, user: User, id: str
) -> Callable[[], TestResponse]:
    cookie, session = _session(around, user)
    sent = {"csrf": session.csrf, "issuer": ISSUERS[id], "subject": id}
    return _post(browser, cookie, f"{ACCOUNT}/identities/remove", **sent)


def _remove_passkey(
    around: Surroundings, browser: FlaskClient, user: User, id: str
) -> Callable[[], TestResponse]:
    cookie, session = _session(around, user)
    return _post(browser, cookie, f"{ACCOUNT}/passkeys/remove", csrf=session.csrf, id=id)


def _session(around: Surroundings, user: User) -> tuple[str, sessions.Session]:
    number = user.roles[0].number if user.roles else None
    step = Step(user.id, ("pwd", "hwk", "mfa"), complete=True, role_number=number)
    return sessions.begin(around, step)


def _post(browser: FlaskClient, cookie: str, path: str, **sent: str) -> Callable[[], TestResponse]:
    one = browser.application.test_client()
    one.set_cookie("ehr-session", cookie, domain="localhost")
    return lambda: one.post(path, data=sent)


def _at_once(sent: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    with ThreadPoolExecutor(len(sent)) as pool:
        return [one.result() for one in [pool.submit(each) for each in sent]]


def _linked(around: Surroundings, user: User) -> list[str]:
    mine = (identity.c.user_id == user.id) & identity.c.unlinked.is_(None)
    with around.store.read() as connection:
        return list(connection.execute(select(identity.c.subject).where(mine)).scalars())


def _passkeys(around: Surroundings, user: User) -> int:
    mine = passkeys.c.user_id == user.id
    with around.store.read() as connection:
        return connection.execute(select(func.count()).where(mine)).scalar_one()
