"""Pages: headers that keep other sites out, templates that show nothing unsaid, built files."""

import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2.exceptions import UndefinedError

from auth import pages

STATIC = Path(pages.__file__).parent / "static"


@pytest.fixture(autouse=True)
def _app() -> object:
    with Flask(__name__).app_context() as context:
        yield context


def policy(response: object) -> dict[str, str]:
    written = response.headers["Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in written.split(";"))


def test_a_page_loads_only_what_is_ours_and_is_never_framed_or_kept() -> None:
    """T6: clickjacking; T20: nothing of a page reaches another site by its address."""
    answer = pages.refused("No", "Not so.")

    assert policy(answer) == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("https://app.example.org/cb", "'self' https:"),
        ("http://127.0.0.1:8123/cb", "'self' http://127.0.0.1:8123 https:"),
        ("org.example.app:/cb", "'self' org.example.app:"),
    ],
)
def test_a_form_may_end_at_the_app_that_it_is_for(uri: str, allowed: str) -> None:
    answer = pages.page("refused.html", leads_to=[uri], heading="", text="", advice="")

    assert policy(answer)["form-action"] == allowed


def test_what_is_shown_is_escaped() -> None:
    """T22: the name of an app is text, whatever it looks like."""
    answer = pages.refused("<script>alert(1)</script>", "\"'><img src=x>")

    text = answer.get_data(as_text=True)
    assert "<script" not in text
    assert "<img" not in text


def test_a_name_that_a_page_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="heading"):
        pages.page("refused.html", text="x")


def test_going_onward_needs_no_script() -> None:
    text = pages.onward("/auth/authorize?request=a&b=c").get_data(as_text=True)

    assert '<meta http-equiv="refresh" content="0; url=/auth/authorize?request=a&amp;b=c">' in text
    assert "<script" not in text


def test_built_files_are_those_that_were_summed() -> None:
    lines = (STATIC / "SHA256SUMS").read_text("utf-8").splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)

    assert {"theme.css", "LICENCES.txt"} <= set(sums)
    for name, digest in sums.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest, name


def test_the_style_asks_no_other_server_and_has_no_font_of_the_nhs() -> None:
    style = (STATIC / "theme.css").read_text("utf-8")

    assert "Frutiger" not in style
    assert "@font-face" not in style
    assert "http" not in re.sub(r"http://www\.w3\.org/\w+/svg", "", style)
    for name in re.findall(r"url\(\"?([^\")]+)", style):
        assert (STATIC / name).exists(), name
