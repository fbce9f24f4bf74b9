"""A person at a browser without scripts: follows redirects, signs in, and allows what is asked.

Person(known).go(authorize_url)     where the app is at last, with what it is told
"""

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import requests

from tests.signing_in import Known, code_of

REDIRECT = "http://127.0.0.1:8765/callback"
_STEPS = 20
Values = dict[str, str | list[str]]


class Person:
    """Somebody who knows a password, and what an authenticator app shows."""

    def __init__(self, known: Known, patient: str = "mary") -> None:
        self._known, self._patient = known, patient
        self._web = requests.Session()
        self.seen: list[str] = []  # paths of the pages that were shown

    def go(self, url: str, until: str = REDIRECT) -> str:
        """Open an address, answer all pages, and return where the browser leaves us."""
        answer = self._web.get(url, allow_redirects=False, timeout=60)
        for _ in range(_STEPS):
            onto = _onto(answer)
            if onto is not None and onto.startswith(until):
                return onto
            if onto is not None:
                answer = self._web.get(onto, allow_redirects=False, timeout=60)
                continue
            assert answer.status_code == 200, (answer.url, answer.status_code, answer.text)
            answer = self._answer(answer)
        raise AssertionError(f"no end of pages: {self.seen}")

    def _answer(self, page: requests.Response) -> requests.Response:
        path = urlsplit(page.url).path
        self.seen.append(path)
        forms = re.findall(
            r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', page.text, re.S
        )
        action, body = next(one for one in forms if not one[0].endswith("/sign-out"))
        values = {**_hidden(body), **self._typed(path, body)}
        # Sites are told apart as browsers do it, so that cookies and forms are judged as there.
        return self._web.post(
            urljoin(page.url, unescape(action)),
            data=values,
            headers={"Sec-Fetch-Site": "same-origin"},
            allow_redirects=False,
            timeout=60,
        )

    def _typed(self, path: str, body: str) -> Values:
        if 'name="password"' in body:
            return {"login": self._known.user.login, "password": self._known.password}
        if path.endswith("/second-factor"):
            return {"way": "totp", "code": code_of(self._known)}
        if path.endswith("/role"):
            return {"role": "1"}
        if 'name="decision"' in body:
            return {"decision": "allow", "scope": _ticked(body)}
        if 'name="search"' in body:
            return {"search": self._patient}
        return {"patient": self._patient}


def _onto(answer: requests.Response) -> str | None:
    if answer.is_redirect:
        return urljoin(answer.url, answer.headers["Location"])
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    return None if found is None else urljoin(answer.url, unescape(found[1]))


def _hidden(body: str) -> Values:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', body)
    return {name: unescape(value) for name, value in found}


def _ticked(body: str) -> list[str]:
    boxes = re.findall(r'<input[^>]*type="checkbox" value="([^"]+)"([^>]*)>', body)
    return [unescape(value) for value, rest in boxes if "checked" in rest]
