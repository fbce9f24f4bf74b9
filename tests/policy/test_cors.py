"""Whose scripts may read the record: those of the origins that clients in use are registered with.

The Fetch standard's CORS protocol; T32.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient

from auth.apps import clients
from auth.surroundings import Surroundings
from ehr.app import create_app
from tests import token_flow as flow
from tests.client import Client
from tests.counting import is_counted

if TYPE_CHECKING:
    from ehr.record import Record

ORIGIN = "https://app.example.org"
ASKS = ("Authorization", "DPoP", "If-Match", "If-None-Match", "If-None-Exist", "Prefer",
        "Content-Type")  # fmt: skip
TOLD = ("ETag", "Location", "Content-Location", "Last-Modified", "WWW-Authenticate", "DPoP-Nonce",
        "Retry-After")  # fmt: skip


def _ask(
    web: FlaskClient, path: str, origin: str = ORIGIN, method: str = "GET", **more: str
) -> Any:
    headers = {"Origin": origin, **{name.replace("_", "-"): text for name, text in more.items()}}
    return web.open(f"/fhir/{path}", method=method, headers=headers)


def _allowed(answer: Any) -> str | None:
    return answer.headers.get("Access-Control-Allow-Origin")


def test_t32_scripts_of_registered_origins_read_answers(
    people: Client, around: Surroundings, web: FlaskClient, client_with: Any
) -> None:
    flow.app(around)
    token = client_with("user/*.rs", kind="professional").token

    for path, bearer, status in (("Patient/mary", token, 200), ("Patient/mary", "x", 401)):
        answer = _ask(web, path, Authorization=f"Bearer {bearer}")
        assert answer.status_code == status
        assert _allowed(answer) == ORIGIN
        assert "Origin" in answer.headers["Vary"]
        assert set(TOLD) <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert "Access-Control-Allow-Credentials" not in answer.headers
    for origin in ("https://evil.example.org", "null", f"{ORIGIN}.evil.example", f"{ORIGIN}:444",
                   "http://app.example.org", "*", "https://APP.example.org "):  # fmt: skip
        other = _ask(web, "Patient/mary", origin, Authorization=f"Bearer {token}")
        assert _allowed(other) is None, origin
        assert "Origin" in other.headers["Vary"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_preflights_are_answered_for_what_fhir_uses(
    people: Client, around: Surroundings, web: FlaskClient, method: str
) -> None:
    flow.app(around)
    asked = {"Access-Control-Request-Method": method,
             "Access-Control-Request-Headers": ", ".join(ASKS).lower()}  # fmt: skip

    answer = _ask(web, "Patient/mary", method="OPTIONS", **asked)
    strange = _ask(web, "Patient/mary", "https://evil.example.org", "OPTIONS", **asked)

    assert answer.status_code == 204
    assert _allowed(answer) == ORIGIN
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert set(ASKS) <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert _allowed(strange) is None


def test_where_an_app_is_sent_back_to_it_runs(around: Surroundings, web: FlaskClient) -> None:
    flow.app(around, origins=(), redirect_uris=("https://site.example.org/app/back", "org.app:/x"))

    assert _allowed(_ask(web, "Patient", "https://site.example.org")) == "https://site.example.org"
    assert _allowed(_ask(web, "Patient")) is None


def test_an_origin_goes_with_its_client(around: Surroundings, record: "Record") -> None:
    app = flow.app(around)
    assert _allowed(_ask(create_app(record).test_client(), "Patient")) == ORIGIN
    web = create_app(record).test_client()
    assert _allowed(_ask(web, "Patient")) == ORIGIN

    around.store.write(lambda c: clients.disable(c, app.id, now=around.clock()))

    assert _allowed(_ask(create_app(record).test_client(), "Patient")) is None


@pytest.mark.parametrize("path", ["metadata", ".well-known/smart-configuration"])
def test_what_everybody_may_read_is_open_to_all_origins(web: FlaskClient, path: str) -> None:
    answer = _ask(web, path, "https://anybody.example")

    assert answer.status_code == 200
    assert _allowed(answer) == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_requests_of_scripts_cost_no_statement_more(
    people: Client,
    around: Surroundings,
    web: FlaskClient,
    client_with: Any,
    statements: Callable[[], Any],
) -> None:
    flow.app(around)
    bearer = f"Bearer {client_with('user/*.rs', kind='professional').token}"
    seen: dict[str, list[str]] = {}
    for origin in ("https://evil.example.org", ORIGIN, "", ORIGIN, "https://evil.example.org"):
        with statements() as asked:
            _ask(web, "Patient/mary", origin, Authorization=bearer)
        seen[origin] = [sql for sql in asked if is_counted(sql)]

    assert len(seen[ORIGIN]) == len(seen[""]) == len(seen["https://evil.example.org"])
