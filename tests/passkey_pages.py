"""Passkeys through the pages: adding one, and answering what a page asks for."""

import re
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.authenticator import Authenticator
from tests.signing_in import Known, csrf_in, send_password

NEW, USE = "/auth/account/passkeys/new", "/auth/sign-in/second-factor"


def add(browser: FlaskClient, known: Known, key: Authenticator) -> TestResponse:
    """Add a passkey for somebody who has no second factor yet."""
    send_password(browser, known.user.login, known.password)
    page = browser.get(NEW)
    return send_answer(browser, page, NEW, key.make(options_in(page)))


def send_answer(browser: FlaskClient, page: TestResponse, path: str, answer: str) -> TestResponse:
    """Send what a passkey answered to the form of a page."""
    sent = {"csrf": csrf_in(page), "credential": answer, "name": "work laptop", "way": "passkey"}
    return browser.post(path, data=sent)


def options_in(page: TestResponse) -> str:
    """Return what a page asks the browser for."""
    found = re.search('data-options="([^"]+)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])
