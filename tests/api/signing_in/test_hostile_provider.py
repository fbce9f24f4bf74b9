"""T34, T13: a provider, or somebody in its place, who says what is not so."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from werkzeug.test import TestResponse

from tests.client import Client
from tests.signing_in import csrf_in, gone_to

KEY = RSAKey.generate_key(2048, {"kid": "theirs", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "theirs", "use": "sig"})
OURS = ECKey.generate_key("P-256", {"kid": "ours", "alg": "ES256"})
NHS_NUMBER = "9000000009"


@dataclass
class Hostile:
    """A provider that answers as a test wants it to."""

    issuer: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    token: Callable[[dict[str, Any]], str] = lambda claims: _signed(claims)
    changes: dict[str, Any] = field(default_factory=dict)
    nonce: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)  # at userinfo, if anything
    access: str = "a.b-c"

    def metadata(self) -> dict[str, Any]:
        """Return what discovery says."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.told else {}),
            **self.about,
        }

    def id_token(self) -> str:
        """Return the id_token of the code that is asked with."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "record",
            "sub": "mary",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "vot": "P9.Cp.Cd",
            "nhs_number": NHS_NUMBER,
            "birthdate": "1950-03-01",
            **self.changes,
        }
        return self.token({name: value for name, value in claims.items() if value is not None})


@pytest.fixture
def provider() -> Iterator[Hostile]:
    """Give a provider on loopback."""
    hostile = Hostile()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            jwks = {"keys": [KEY.as_dict(private=False)]}
            if self.path == "/userinfo":
                assert self.headers["Authorization"] == f"Bearer {hostile.access}"
                self._say(hostile.told)
            else:
                self._say(jwks if self.path == "/jwks" else hostile.metadata())

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            hostile.asked.append({name: values[0] for name, values in parse_qs(form).items()})
            tokens = {"id_token": hostile.id_token(), "access_token": hostile.access}
            self._say({**tokens, "token_type": "Bearer"})

        def _say(self, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hostile.issuer = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield hostile
        server.shutdown()


@pytest.fixture
def record_settings(provider: Hostile, tmp_path: Path) -> dict[str, str]:
    """Name the provider to the record."""
    named = {
        "id": "nhs",
        "name": "NHS login",
        "issuer": provider.issuer,
        "client_id": "record",
        "key": OURS.as_dict(private=True),
        "levels": ["P9.Cp.Cd"],
        "full": ["P9.Cp.Cd"],
        "private": [provider.issuer],
    }
    file = tmp_path / "upstream.json"
    file.write_text(json.dumps([named]), "utf-8")
    return {"EHR_UPSTREAM": str(file)}


def test_what_fits_signs_in(browser: FlaskClient, client: Client, provider: Hostile) -> None:
    response = _sign_in(browser, client, provider)

    assert gone_to(response) == "/auth/apps"
    (form,) = provider.asked
    claims = jwt.decode(form["client_assertion"], OURS, algorithms=["ES256"]).claims
    assert claims["iss"] == claims["sub"] == "record"
    assert claims["aud"] == f"{provider.issuer}/token"
    assert 0 < claims["exp"] - claims["iat"] <= 300


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example.org"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["record", "another"]},
        {"aud": None},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"exp": True},
        {"exp": "9999999999"},
        {"iat": 9_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
        {"vot": "P0"},
        {"vot": None},
        {"vot": None, "acr": "P5"},
        {"vot": ["P9.Cp.Cd"]},
    ],
    ids=str,
)
def test_t34_a_claim_that_does_not_fit_signs_nobody_in(
    browser: FlaskClient, client: Client, provider: Hostile, changes: dict[str, Any]
) -> None:
    provider.changes = changes

    _is_refused(_sign_in(browser, client, provider), browser)


def _signed(claims: dict[str, Any], key: Any = KEY, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": "theirs", **header}, claims, key, algorithms=[alg])


def _unsigned(claims: dict[str, Any]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none"}, claims)
    ]
    return ".".join([*parts, ""])


@pytest.mark.parametrize(
    "token",
    [
        _unsigned,
        lambda claims: _signed(claims, OTHER),
        lambda claims: _signed(claims, OTHER, jwk=OTHER.as_dict(private=False)),
        lambda claims: _signed(claims, OctKey.import_key(KEY.as_pem(private=False)), "HS256"),
        lambda claims: _signed(claims, kid="another"),
        lambda claims: "no token at all",
        lambda claims: "",
    ],
    ids=["none", "other key", "key in its header", "HS256 by a public key", "kid", "text", "empty"],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_t13_a_signature_that_is_not_theirs_signs_nobody_in(
    browser: FlaskClient,
    client: Client,
    provider: Hostile,
    token: Callable[[dict[str, Any]], str],
) -> None:
    provider.token = token

    _is_refused(_sign_in(browser, client, provider), browser)


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example.org"},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_t34_a_discovery_that_leads_elsewhere_is_not_followed(
    browser: FlaskClient, provider: Hostile, about: dict[str, Any]
) -> None:
    provider.about = about
    page = browser.get("/auth/sign-in")

    response = browser.post("/auth/sign-in/with/nhs", data={"csrf": csrf_in(page)})

    assert response.status_code == 502
    assert "NHS login can&#39;t be reached" in response.text


def test_what_userinfo_tells_counts_as_well(
    browser: FlaskClient, client: Client, provider: Hostile
) -> None:
    provider.changes = {"nhs_number": None, "birthdate": None}
    provider.told = {"sub": "mary", "nhs_number": NHS_NUMBER, "birthdate": "1950-03-01"}

    assert gone_to(_sign_in(browser, client, provider)) == "/auth/apps"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, {"sub": "john", "nhs_number": NHS_NUMBER}),
        ({}, {"nhs_number": NHS_NUMBER}),
        ({"vot": None}, {"sub": "mary", "vot": "P9.Cp.Cd"}),
        ({"birthdate": "1950-03-02"}, {"sub": "mary", "birthdate": "1950-03-01"}),
    ],
    ids=["somebody else", "nobody", "the level", "against the id_token"],
)
def test_t34_userinfo_that_does_not_fit_signs_nobody_in(
    browser: FlaskClient,
    client: Client,
    provider: Hostile,
    said: dict[str, Any],
    told: dict[str, Any],
) -> None:
    provider.changes, provider.told = said, told

    _is_refused(_sign_in(browser, client, provider), browser)


def test_t34_an_access_token_that_would_break_a_header_is_not_sent(
    browser: FlaskClient, client: Client, provider: Hostile
) -> None:
    provider.told, provider.access = {"sub": "mary"}, "a\r\nHost: elsewhere"

    _is_refused(_sign_in(browser, client, provider), browser)


@pytest.mark.parametrize("query", ["error=access_denied", "code=", ""])
def test_an_answer_without_a_code_signs_nobody_in(
    browser: FlaskClient, provider: Hostile, query: str
) -> None:
    state = _leave(browser, provider)["state"]

    response = browser.get(f"/auth/sign-in/from/nhs?state={state}&{query}")

    _is_refused(response, browser)
    assert provider.asked == []


def _sign_in(browser: FlaskClient, client: Client, provider: Hostile) -> TestResponse:
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NHS_NUMBER}
    patient = {"resourceType": "Patient", "id": "mary", "identifier": [number]}
    client.update({**patient, "birthDate": "1950-03-01"})
    left = _leave(browser, provider)
    provider.nonce = left["nonce"]
    return browser.get(f"/auth/sign-in/from/nhs?code=any&state={left['state']}")


def _leave(browser: FlaskClient, provider: Hostile) -> dict[str, str]:
    page = browser.get("/auth/sign-in")
    left = browser.post("/auth/sign-in/with/nhs", data={"csrf": csrf_in(page)})
    query = parse_qs(urlsplit(gone_to(left)).query)
    assert query["code_challenge_method"] == ["S256"]
    return {name: values[0] for name, values in query.items()}


def _is_refused(response: TestResponse, browser: FlaskClient) -> None:
    assert response.status_code == 403, response.text
    assert browser.get_cookie("ehr-session") is None
