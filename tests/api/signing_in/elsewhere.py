"""Somebody at a browser who signs in at the provider of the tests, page by page."""

import http.cookiejar
import re
import urllib.error
import urllib.request
from email.message import Message
from html import unescape
from typing import IO
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        return None


class Person:
    """Signs in with one account, and allows what is asked."""

    def __init__(self, account: str) -> None:
        self._account = account
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar, _NoRedirect())

    def sign_in(self, url: str) -> str:
        """Go through the provider's pages; return the address that leads back to us."""
        origin = urlsplit(url).netloc
        form: dict[str, str] | None = None
        for _ in range(20):
            onto, text = self._open(url, form)
            form = None
            if onto is not None:
                url = urljoin(url, onto)
                if urlsplit(url).netloc != origin:
                    return url
                continue
            action = re.search(r'<form[^>]*action="([^"]+)"', text)
            prompt = re.search(r'name="prompt" value="(\w+)"', text)
            assert action is not None, text[:2000]
            assert prompt is not None, text[:2000]
            url = urljoin(url, unescape(action[1]))
            form = {"prompt": prompt[1]}
            if prompt[1] == "login":
                form |= {"login": self._account, "password": "any"}
        raise AssertionError("the provider never came to an end")

    @staticmethod
    def changed(path: str, name: str, value: str) -> str:
        """Return an answer in which somebody changed one parameter."""
        parts = urlsplit(path)
        query = {**dict(parse_qsl(parts.query)), name: value}
        return f"{parts.path}?{urlencode(query)}"

    def _open(self, url: str, form: dict[str, str] | None) -> tuple[str | None, str]:
        sent = None if form is None else urlencode(form).encode()
        try:
            with self._opener.open(url, sent, timeout=20) as answer:
                return None, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.headers["Location"], ""
