"""Pages that people see: templates made into responses that no other site can frame or script.

`page` is the only way to answer with HTML. Templates are those of `templates/auth`, with the macros
of nhsuk-frontend; a name that a template is not given is an error, never an empty place.

Content-Security-Policy: nothing is loaded but our own style, pictures and scripts, and forms lead
only to us. Browsers hold the redirects after a form against `form-action` too, all of them: so a
page whose form ends at an app names where that may be (`leads_to`), and a form that may end
anywhere answers with `onward`, which begins a navigation of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, send_from_directory
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, Undefined
from jinja2.exceptions import UndefinedError
from jinja2.utils import missing

from auth.apps.shown_texts import OWN_NAME
from auth.asking.people import day_of, particulars, written
from auth.surroundings import Surroundings

_STATIC = Path(__file__).resolve().parent / "static"
_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),  # for browsers that know no frame-ancestors
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
)
_ROOT = "auth.root"
_A_YEAR = 31_536_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a form that was sent: told above it and at one of its fields."""

    field: str
    text: str
    status: int = 422


def page(
    template: str,
    status: int = 200,
    *,
    leads_to: Sequence[str] = (),
    faults: Sequence[Fault | None] = (),
    **values: Any,
) -> Response:
    """Return a page; `template` is a name in `templates/auth`, as `consent.html`.

    `leads_to` are addresses, checked before, where the page's forms may end by redirects. What is
    wrong with a form is told by `faults`, where there are any; the first gives the status.
    """
    told = [fault for fault in faults if fault is not None]
    errors = [{"text": fault.text, "href": f"#{fault.field}"} for fault in told]
    status = told[0].status if told else status
    text = _ENVIRONMENT.get_template(f"auth/{template}").render(errors=errors, **values)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers.extend(_HEADERS)
    response.headers["Content-Security-Policy"] = _POLICY.format(forms=_form_action(leads_to))
    return response


def refused(heading: str, text: str, advice: str = "", status: int = 400) -> Response:
    """Return a plain page that says what can't be done, why, and what to do."""
    return page("refused.html", status, heading=heading, text=text, advice=advice)


def onward(url: str) -> Response:
    """Return a page that goes on to another by itself: ends the chain of a form's redirects.

    Give it addresses of ours only, never one that a request brought.
    """
    return page("onward.html", url=url)


def link(path: str) -> str:
    """Return a path of ours as browsers see it: the record may be served below another path."""
    return f"{current_app.extensions.get(_ROOT, '')}{path}"


def static(name: str) -> str:
    """Return the address of a file that never changes: its content is part of it."""
    return link(f"/auth/static/{_digest(name)}/{name}")


@cache
def _digest(name: str) -> str:
    return sha256((_STATIC / name).read_bytes()).hexdigest()[:12]


def open_static(blueprint: Blueprint, surroundings: Surroundings) -> None:
    """Serve style, pictures and scripts of the pages below `/static` of a blueprint."""
    root = urlsplit(surroundings.root).path.rstrip("/")
    blueprint.record(lambda state: state.app.extensions.update({_ROOT: root}))

    @blueprint.get("/static/<digest>/<path:name>")
    def static_file(digest: str, name: str) -> Response:
        response = send_from_directory(_STATIC, name, max_age=_A_YEAR)
        response.headers["Cache-Control"] = f"public, max-age={_A_YEAR}, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _form_action(leads_to: Sequence[str]) -> str:
    """Return where forms may lead: to us, and to the apps that the answer goes to.

    An app may redirect once more, and browsers check that as well. So any https address is named
    for an app at one; an app on the person's device has a scheme of its own, or a loopback port.
    """
    allowed = ["'self'"]
    for url in leads_to:
        parts = urlsplit(url)
        if parts.scheme == "http":
            allowed.append(f"http://{parts.netloc}")
        allowed.append("https:" if parts.scheme in ("http", "https") else f"{parts.scheme}:")
    return " ".join(dict.fromkeys(allowed))


class _Missing(ChainableUndefined):
    """Lets macros ask for what they were not given, but never prints a name that nobody gave."""

    def __str__(self) -> str:
        if self._undefined_obj is missing:
            raise UndefinedError(self._undefined_message)
        return ""

    def __html__(self) -> str:
        return str(self)


def _environment(undefined: type[Undefined]) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("auth"), PackageLoader("nhsuk_frontend_jinja")]),
        autoescape=True,
        undefined=undefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(link=link, static=static, own_name=OWN_NAME)
    environment.filters.update(particulars=particulars, written=written, day_of=day_of)
    return environment


_ENVIRONMENT = _environment(_Missing)
