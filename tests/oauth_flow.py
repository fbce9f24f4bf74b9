"""One authorization request, driven as a browser drives it, for tests of the API.

app = oauth_flow.register(record)                        a client, with its redirect address
flow = oauth_flow.begin(app, scope="openid patient/*.rs")
page = flow.open(flask_client)                           where the browser is when it rests
back = flow.decide(flask_client, page, "allow")          what the app is told
"""

import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from auth.apps import clients
from auth.apps.clients import Client
from auth.models import access_grant
from tests.signing_in import csrf_in

if TYPE_CHECKING:
    from ehr.record import Record

BASE = "http://127.0.0.1:8000/fhir"
REDIRECT = "https://app.example.org/callback"
SCOPE = (
    "openid fhirUser profile launch launch/patient launch/encounter online_access offline_access "
    "patient/*.cruds user/*.cruds"
)


def register(record: "Record", name: str = "Growth Charts", **registered: Any) -> Client:
    """Register a public client that may ask for everything."""
    values: dict[str, Any] = {
        "auth_method": "none",
        "scope": SCOPE,
        "redirect_uris": [REDIRECT],
        "verified": True,
        "now": record.clock(),
        **registered,
    }
    made, _ = record.database.write(
        lambda connection: clients.create(connection, name=name, **values)
    )
    return made


@dataclass(frozen=True)
class Flow:
    """The parameters of one request, and what only the app knows."""

    parameters: dict[str, str]
    verifier: str
    redirect: str = REDIRECT
    answers: list[TestResponse] = field(default_factory=list)

    def open(self, browser: FlaskClient, **changes: str | None) -> TestResponse:
        """Ask, and follow our own redirects; return the page, or the redirect to the app."""
        sent = {**self.parameters, **changes}
        query = urlencode({name: value for name, value in sent.items() if value is not None})
        return follow(browser, browser.get(f"/auth/authorize?{query}"))

    def decide(
        self, browser: FlaskClient, page: TestResponse, decision: str, *scopes: str, **more: str
    ) -> TestResponse:
        """Send the consent page with the boxes that are ticked on it, or with those named."""
        fields = hidden(page)
        sent = {**fields, "decision": decision, **more}
        chosen = list(scopes) or ticked(page)
        answer = browser.post("/auth/consent", data={**sent, "scope": chosen})
        return follow(browser, answer)


def begin(app: Client, scope: str = "openid fhirUser", **more: str) -> Flow:
    """Make the parameters of a request in order."""
    verifier = secrets.token_urlsafe(48)
    digest = sha256(verifier.encode()).digest()
    redirect = app.redirect_uris[0]
    parameters = {
        "response_type": "code",
        "client_id": app.id,
        "redirect_uri": redirect,
        "scope": scope,
        "state": secrets.token_urlsafe(32),
        "aud": BASE,
        "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
        **more,
    }
    return Flow(parameters, verifier, redirect)


def end_grants(record: "Record") -> None:
    """Let all grants run out, as time does."""
    record.database.write(
        lambda connection: connection.execute(update(access_grant).values(expires=1))
    )


def follow(browser: FlaskClient, answer: TestResponse) -> TestResponse:
    """Follow redirects as long as they lead to pages of ours."""
    for _ in range(10):
        to = answer.location
        if to is None or not to.startswith("/"):
            return answer
        answer = browser.get(to)
    raise AssertionError(f"redirects without end, at {answer.location}")


def told(answer: TestResponse, redirect: str = REDIRECT) -> dict[str, str]:
    """Return what the app is told by the redirect to it."""
    assert answer.location is not None, answer.text
    assert answer.location.startswith(redirect), answer.location
    return dict(parse_qsl(urlsplit(answer.location).query, keep_blank_values=True))


def hidden(page: TestResponse) -> dict[str, str]:
    """Return the hidden fields of a page, with what brings its forms back."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    fields = {name: unescape(value) for name, value in found}
    return {**fields, "csrf": csrf_in(page)}


def ticked(page: TestResponse) -> list[str]:
    """Return the boxes that are ticked on a page."""
    boxes = re.findall(r'<input[^>]*type="checkbox" value="([^"]+)"([^>]*)>', page.text)
    return [unescape(value) for value, rest in boxes if "checked" in rest]


def heading(page: TestResponse) -> str:
    """Return the question that a page asks."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None, page.text
    return unescape(found[1]).strip()
