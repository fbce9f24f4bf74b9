"""A browser on a running record: each test has a window of its own, in which nothing may go wrong.

window       a page of 1280 pixels; console output, script errors and requests to anywhere but this
             record and the app fail the test
given        people of the record, and a window in which one of them is signed in
app_site     the site of an app, which says what it is told
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from auth import tokens
from tests import given as resources
from tests import live_server, oauth_flow, signing_in
from tests.chromium import ARGUMENTS, chromium
from tests.client import Client
from tests.live_server import Live
from tests.signing_in import Known

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from auth.apps.clients import Client as App

# Said by the browser itself of answers such as 422.
_OWN_WORDS = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Give the machine's browser."""
    executable = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a record that is served."""
    with live_server.served(tmp_path_factory.mktemp("live")) as served:
        yield served


@pytest.fixture(scope="module")
def app_site() -> Iterator[str]:
    """Give the address of an app's site; its pages name the path that was asked for."""
    page = '<!DOCTYPE html><html lang="en"><title>App</title><link rel="icon" href="data:,">'
    with live_server.pages(lambda path: f"{page}<h1>The app at {path}</h1>") as address:
        yield address


@dataclass
class Given:
    """People and apps of the record, in words of care."""

    live: Live
    site: str
    contexts: Callable[..., "BrowserContext"]
    faults: list[str]  # what went wrong so far; a test takes out what it means to happen

    def app(self, name: str = "Growth Charts", **registered: Any) -> "App":
        """Register an app."""
        values = {
            "redirect_uris": [f"{self.site}/callback"],
            "launch_uri": f"{self.site}/launch",
            **registered,
        }
        return oauth_flow.register(self.live.record, name, **values)

    def patient(self, given: str = "Mary", **more: Any) -> str:
        """Write a patient of the surgery where staff work; return the id."""
        practice = signing_in.registered(self._client())
        return self.write(resources.patient(given, **practice, **more))

    def write(self, resource: dict[str, Any]) -> str:
        """Write a resource into the record; return the id."""
        id: str = self._client().create(resource)["id"]
        return id

    def _client(self) -> Client:
        record = self.live.record
        token = record.database.write(
            lambda connection: tokens.create(
                connection, kind="system", name="tests", now=record.clock()
            )
        )
        return Client(self.live.app.test_client(), token)

    def user(self, kind: str, *patients: str, **more: Any) -> Known:
        """Make somebody who signs in."""
        more.setdefault("login", f"{kind}-{self.live.record.new_id()}@example.org")
        if kind == "patient":
            more.setdefault("fhir_user", f"Patient/{patients[0]}")
        if kind == "carer":  # each is one patient's
            more.setdefault("fhir_user", f"RelatedPerson/{self.live.record.new_id()}")
        return signing_in.make_user(self.live.record, kind, patients=patients, **more)

    def window(self, known: Known | None = None, **options: Any) -> "Page":
        """Open a window, in which somebody is signed in."""
        context = self.contexts(**options)
        if known is not None:
            flask = self.live.app.test_client()
            signing_in.signed_in(self.live.record, flask, known)
            cookie = flask.get_cookie("ehr-session")
            assert cookie is not None
            context.add_cookies(
                [{"name": "ehr-session", "value": cookie.value, "url": self.live.root}]
            )
        return context.new_page()

    def address(self, app: "App", scope: str, **more: str) -> str:
        """Return the address at which an app asks for access."""
        flow = oauth_flow.begin(app, scope, aud=f"{self.live.root}/fhir", **more)
        return f"{self.live.root}/auth/authorize?{urlencode(flow.parameters)}"


@pytest.fixture
def given(browser: "Browser", live: Live, app_site: str) -> Iterator[Given]:
    """Give people, apps and windows; fail where a page complained or asked another server."""
    opened: list[BrowserContext] = []
    faults: list[str] = []

    def open_context(**options: Any) -> "BrowserContext":
        values = {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**values)
        context.set_default_timeout(10_000)
        opened.append(context)
        _watch(context, faults, (live.root, app_site, "data:"))
        return context

    yield Given(live, app_site, open_context, faults)
    for context in opened:
        context.close()
    assert faults == []


def _watch(context: "BrowserContext", faults: list[str], known: tuple[str, ...]) -> None:
    def on_request(request: Any) -> None:
        if not request.url.startswith(known):
            faults.append(f"asked {request.url}")

    def on_console(message: Any) -> None:
        if not _OWN_WORDS.search(message.text):
            faults.append(f"console: {message.text}")

    context.on("request", on_request)
    context.on("console", on_console)
    context.on("weberror", lambda error: faults.append(f"script: {error.error}"))
