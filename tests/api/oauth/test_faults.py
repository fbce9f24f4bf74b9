"""Attacks with what is too large, unreadable or comes at a bad time: refused, and nothing told."""

import logging
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from auth.apps import registration
from auth.surroundings import Surroundings
from ehr.errors import Busy
from ehr.store.engine import Database
from tests import token_flow as flow

FORM = "application/x-www-form-urlencoded"
TOO_LARGE = b"grant_type=x&a=" + b"a" * 200_000
FOR_CLIENTS = ("token", "revoke", "introspect", "par", "register")
FOR_PEOPLE = ("authorize", "sign-in", "consent", "join")
SECRET = "mary had a little lamb"


def _post(web: FlaskClient, name: str, body: bytes, kind: str = FORM) -> TestResponse:
    headers = {"Origin": "https://app.example.org"}
    return web.post(f"/auth/{name}", data=body, content_type=kind, headers=headers)


@pytest.mark.parametrize("name", [*FOR_CLIENTS, *FOR_PEOPLE])
def test_what_is_too_large_is_refused(around: Surroundings, web: FlaskClient, name: str) -> None:
    flow.app(around)

    answer = _post(web, name, TOO_LARGE)

    assert answer.status_code == 413
    assert "128 KB" in answer.text
    assert answer.is_json is (name in FOR_CLIENTS)


@pytest.mark.parametrize("name", [*FOR_CLIENTS, *FOR_PEOPLE])
def test_files_are_refused_before_they_are_read(web: FlaskClient, name: str) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--B--\r\n'

    assert _post(web, name, body, "multipart/form-data; boundary=B").status_code == 415


@pytest.mark.parametrize("name", [*FOR_CLIENTS[:4], *FOR_PEOPLE])
@pytest.mark.parametrize("field", ["login", "client_id", "request", "code"])
def test_nul_is_refused_whatever_the_database(web: FlaskClient, name: str, field: str) -> None:
    """PostgreSQL can't be asked for it: each would be a fault of ours, in the log."""
    answer = _post(web, name, f"{field}=a%00&grant_type=authorization_code".encode())

    assert answer.status_code in ((400, 401) if name in FOR_CLIENTS else (400,))
    assert answer.is_json is (name in FOR_CLIENTS)


def test_what_is_nested_without_end_registers_nothing(web: FlaskClient) -> None:
    headers = {"Authorization": "Bearer secq_none"}

    answer = web.post(
        "/auth/register", data=b"[" * 60_000, headers=headers, content_type="application/json"
    )

    assert answer.status_code == 400
    assert answer.get_json()["error"] == "invalid_request"


def _failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let every write fail; what fails is the driver or the machine, nothing of ours."""

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Database, "write", fail)


@pytest.mark.parametrize(
    "error",
    [Busy("All are in use."), OperationalError(SECRET, {}, Exception("database is locked"))],
    ids=["busy", "locked"],
)
def test_a_busy_database_is_said_to_be_busy(
    around: Surroundings, web: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    app = flow.app(around)
    parameters = flow.asked(around, app)
    _failing(monkeypatch, error)

    told = flow.post(web, "par", app, **parameters)
    page = web.get("/auth/authorize", query_string=parameters)

    assert (told.status_code, page.status_code) == (503, 503)
    assert told.get_json()["error"] == "temporarily_unavailable"
    assert "<h1" in page.text
    assert SECRET not in told.text + page.text


def test_a_fault_has_a_reference_and_its_message_is_nowhere(
    around: Surroundings,
    web: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    app = flow.app(around)
    parameters = flow.asked(around, app)
    _failing(monkeypatch, KeyError(SECRET))

    told = flow.post(web, "par", app, **parameters)
    page = web.get("/auth/authorize", query_string=parameters)

    assert (told.status_code, page.status_code) == (500, 500)
    assert told.get_json()["error"] == "server_error"
    logged = [one for one in caplog.messages if one.startswith("auth_failed")]
    for answer, line in zip((told, page), logged, strict=True):
        assert line.split("id=")[1].split()[0] in answer.text
        assert "KeyError" in line
    assert SECRET not in told.text + page.text + caplog.text


@pytest.mark.parametrize("keys", [[5], 5, "no", [None], [[]]])
def test_keys_that_are_no_keys_are_refused(keys: Any) -> None:
    metadata = {
        "client_name": "x",
        "scope": "openid",
        "redirect_uris": ["https://a.example/c"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": keys},
    }

    with pytest.raises(registration.InvalidMetadata, match="JWK Set"):
        registration.registered(metadata)
