"""A code is changed for tokens: once, by whom it was given to, and with the right verifier."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from auth import ending
from auth.authorizing import granted
from auth.grants.authorization_code import proves
from auth.surroundings import Surroundings
from ehr.app import create_app
from tests import token_flow as flow

if TYPE_CHECKING:
    from ehr.record import Record

HOUR, DAY = 3600_000, 86_400_000
Change = Callable[[Surroundings, flow.App, str], None]


def test_a_code_gives_tokens_with_what_was_launched(around: Surroundings, web: FlaskClient) -> None:
    app, user = flow.app(around), flow.person(around)
    beside = {"need_patient_banner": True, "smart_style_url": "https://x.example/s", "other": 1}
    code = flow.code(around, app, user, beside=beside)

    answer = flow.exchange(web, app, code)

    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert told["token_type"] == "Bearer"
    assert told["expires_in"] == 3600
    assert told["scope"] == "openid fhirUser offline_access user/*.rs"
    assert told["need_patient_banner"] is True
    assert told["smart_style_url"] == "https://x.example/s"
    assert "other" not in told
    assert told["id_token"].count(".") == 2
    assert told["refresh_token"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_every_kind_of_client_exchanges_codes(
    around: Surroundings, web: FlaskClient, method: str
) -> None:
    app = flow.app(around, method=method)

    answer = flow.exchange(web, app, flow.code(around, app, flow.person(around)))

    assert answer.status_code == 200, answer.text


def test_an_asymmetric_client_exchanges_codes(around: Surroundings, web: FlaskClient) -> None:
    grants = ("authorization_code", "refresh_token")
    app = flow.service(around, scope=flow.SCOPE, grant_types=grants, redirect_uris=(flow.REDIRECT,))

    answer = flow.exchange(web, app, flow.code(around, app, flow.person(around)))

    assert answer.status_code == 200, answer.text


def test_without_offline_or_online_access_there_is_no_refresh_token(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around)

    code = flow.code(around, app, flow.person(around), scope="user/*.rs")
    told = flow.exchange(web, app, code).get_json()

    assert "refresh_token" not in told
    assert "id_token" not in told


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": None}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code": "x" * 43}, "invalid_grant"),
        ({"code": "\0é"}, "invalid_grant"),
        ({"redirect_uri": "https://app.example.org/back/"}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "v" * 42}, "invalid_grant"),
        ({"code_verifier": flow.challenge(flow.VERIFIER)}, "invalid_grant"),
    ],
    ids=lambda each: "" if isinstance(each, str) else "-".join(each),
)
def test_t02_t03_what_does_not_fit_the_code_gives_nothing(
    around: Surroundings, web: FlaskClient, changes: dict[str, str | None], error: str
) -> None:
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))

    answer = flow.exchange(web, app, **{"code": code, **changes})

    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_t02_a_code_is_worth_nothing_to_another_client(
    around: Surroundings, web: FlaskClient
) -> None:
    app, thief = flow.app(around), flow.app(around)
    code = flow.code(around, app, flow.person(around))

    stolen = flow.exchange(web, thief, code)
    own = flow.exchange(web, app, code)

    assert (stolen.status_code, stolen.get_json()["error"]) == (400, "invalid_grant")
    assert own.status_code == 400  # it has been in other hands


def test_t02_one_guess_at_the_verifier_uses_the_code_up(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))

    flow.exchange(web, app, code, code_verifier="w" * 43)

    assert flow.exchange(web, app, code).status_code == 400


def test_a_code_lives_for_a_minute(around: Surroundings, record: "Record") -> None:
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))

    answer = flow.exchange(flow.later(record, 60_001), app, code)

    assert answer.get_json()["error"] == "invalid_grant"


def test_t04_a_code_that_comes_twice_ends_all_tokens_of_it(
    around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))
    told = flow.exchange(web, app, code).get_json()
    assert flow.is_active(around, told["access_token"])

    again = flow.exchange(web, app, code)

    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    assert not flow.is_active(around, told["access_token"])
    assert flow.refresh(web, app, told["refresh_token"]).status_code == 400


def test_t04_of_fifty_at_once_one_gets_tokens(around: Surroundings, record: "Record") -> None:
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))
    application = create_app(record)
    start = threading.Barrier(50)

    def ask(_: int) -> TestResponse:
        start.wait()
        return flow.exchange(application.test_client(), app, code)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(ask, range(50)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    given = next(answer for answer in answers if answer.status_code == 200)
    assert not flow.is_active(around, given.get_json()["access_token"])  # the code was copied


@pytest.mark.slow
def test_t04_of_fifty_at_once_in_two_processes_one_gets_tokens(
    around: Surroundings, database_url: str
) -> None:
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))
    form = {
        "grant_type": "authorization_code",
        "client_id": app.id,
        "code": code,
        "redirect_uri": flow.REDIRECT,
        "code_verifier": flow.VERIFIER,
    }

    told = flow.in_processes(database_url, form, threads=25)

    assert sorted(told) == [200] + [400] * 49
    with around.store.read() as connection:
        assert connection.exec_driver_sql("SELECT revoked FROM access_grant").scalar()


@pytest.mark.parametrize("change", ["disabled", "changed", "ended", "signed out"])
def test_t40_what_ended_since_the_consent_gives_no_tokens(
    around: Surroundings, web: FlaskClient, change: str
) -> None:
    app, user = flow.app(around), flow.person(around)
    code = flow.code(around, app, user, scope="user/*.rs online_access")
    flow.end(around, user, change)

    answer = flow.exchange(web, app, code)

    assert answer.get_json()["error"] == "invalid_grant"


def test_t20_no_code_or_token_is_logged(
    around: Surroundings, web: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))

    told = flow.exchange(web, app, code).get_json()
    again = flow.refresh(web, app, told["refresh_token"]).get_json()

    secrets = [code, flow.VERIFIER, *(told[name] for name in _SECRET), again["refresh_token"]]
    assert [one for one in secrets if one in caplog.text] == []


_SECRET = ("access_token", "refresh_token", "id_token")


def test_of_user_lists_what_is_in_force(around: Surroundings) -> None:
    app, user = flow.app(around), flow.person(around)
    flow.code(around, app, user)

    with around.store.read() as connection:
        (grant,) = granted.of_user(connection, user.id, now=around.clock())

    assert (grant.client_id, grant.client_name, grant.lasting) == (app.id, "An app", "offline")
    around.store.write(lambda c: ending.end(c, grant.id, why="cut off", now=1))
    with around.store.read() as connection:
        assert granted.of_user(connection, user.id, now=around.clock()) == []


@pytest.mark.parametrize(
    ("scope", "until", "ended"),
    [
        ("openid", HOUR, HOUR),
        ("openid online_access", HOUR, DAY),
        ("openid offline_access", 180 * DAY, 180 * DAY),
    ],
)
def test_of_user_lists_nothing_that_ended(
    around: Surroundings, web: FlaskClient, scope: str, until: int, ended: int
) -> None:
    app, user = flow.app(around), flow.person(around)
    code = flow.code(around, app, user, scope=scope)
    assert flow.exchange(web, app, code).status_code == 200
    now = around.clock()

    with around.store.read() as connection:
        assert granted.of_user(connection, user.id, now=now + until - 60_000)
        assert not granted.of_user(connection, user.id, now=now + ended)


def test_of_user_lists_no_code_that_nobody_took(around: Surroundings) -> None:
    user = flow.person(around)
    flow.code(around, flow.app(around), user)

    with around.store.read() as connection:
        assert not granted.of_user(connection, user.id, now=around.clock() + 60_000)


@given(verifier=st.from_regex(r"\A[A-Za-z0-9._~-]{43,128}\Z"), other=st.text(max_size=130))
def test_only_the_verifier_proves_its_challenge(verifier: str, other: str) -> None:
    assert proves(verifier, flow.challenge(verifier))
    assert not proves(flow.challenge(verifier), flow.challenge(verifier))
    if other != verifier:
        assert not proves(other, flow.challenge(verifier))
    assert not proves(verifier + "é", flow.challenge(verifier))
