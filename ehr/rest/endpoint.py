"""The one way into the record over HTTP: a WSGI environ in, status, headers and body out.

    request id → format → caller → head → body → handle → answer

Every error becomes an OperationOutcome here; an unknown one is logged under its request id and
answered 500 without a word about its cause. Knows no Flask.
"""

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from auth.apps.origins import Origins
from auth.principal import Principal
from ehr.errors import FhirError
from ehr.interactions import views
from ehr.messages import Interaction, Result
from ehr.patches import MEDIA_TYPES
from ehr.rest import bases, bodies, capability, cors, parse
from ehr.rest.caller import Authenticate, Callers, principal_of
from ehr.rest.cors import Headers
from ehr.rest.parse import Presentation
from ehr.rest.respond import Response, refuse, respond
from ehr.search.parameters.custom import Custom
from ehr.settings import Settings
from ehr.urls import paths
from fhir_profiles.issues import InvalidDocument

if TYPE_CHECKING:
    from auth.surroundings import Surroundings
    from ehr.record import Record

Handle = Callable[[Principal, Interaction], Result]

_LOG = logging.getLogger("ehr.rest")


@dataclass(frozen=True, slots=True)
class Door:
    """What an endpoint needs: settings, who a token stands for, and the pipeline behind it.

    `custom` are the search parameters that the record adds to those of R4; `tell_refused` audits
    what is refused before the pipeline sees it; `is_registered` tells whether an origin is one of a
    client in use.
    """

    settings: Settings
    handle: Handle
    authenticate: Authenticate
    custom: Callable[[], Custom] = Custom
    tell_refused: Callable[[Principal, Interaction, Exception], None] = lambda *_: None
    is_registered: Callable[[str], bool] = lambda _origin: False


def open_door(record: "Record", surroundings: "Surroundings") -> Door:
    """Return the door to a record, with its tokens and its pipeline."""
    from ehr.interactions import refusals
    from ehr.pipeline import handle

    callers = Callers(record, surroundings)

    def custom() -> Custom:
        record.definitions.refresh_if_old()
        return record.definitions.custom

    registered = Origins(surroundings).has
    refused = partial(refusals.tell, record)
    return Door(record.settings, partial(handle, record), callers.find, custom, refused, registered)


@dataclass(slots=True)
class _Exchange:
    """One request under way; how it is shown may be settled as late as in a form."""

    environ: Mapping[str, Any]
    request_id: str
    shown: Presentation | None = None
    principal: Principal | None = None


def endpoint(door: Door, environ: Mapping[str, Any]) -> Response:
    """Answer one request. Never raises; the body is to be iterated and closed by the server."""
    exchange = _Exchange(environ, parse.request_id(environ))
    began = time.perf_counter()
    try:
        response = _answer(door, exchange)
    except (FhirError, InvalidDocument) as error:
        response = refuse(error, exchange.shown or parse.fallback(environ), environ)
    except Exception as error:
        response = _fault(error, exchange)
    if exchange.principal is not None:
        _discard(environ, door.settings.body_limit.of(exchange.principal.kind))
    log_request(environ, response[0], began, exchange.request_id)
    return finish(response, environ, door, exchange.request_id)


def log_request(environ: Mapping[str, Any], status: int, began: float, request_id: str) -> None:
    """Log at debug what was asked, without the query: `identifier=…` is record content."""
    if not _LOG.isEnabledFor(logging.DEBUG):
        return
    method = quote(environ.get("REQUEST_METHOD", ""))
    path = quote(environ.get("PATH_INFO", ""), safe="/$*", encoding="latin-1")
    took = (time.perf_counter() - began) * 1000
    _LOG.debug("%s %s %d %.1f ms id=%s", method, path, status, took, request_id)


def _answer(door: Door, exchange: _Exchange) -> Response:
    environ = exchange.environ
    method = environ.get("REQUEST_METHOD", "GET").upper()
    path = bases.path_below(environ)
    if method == "OPTIONS":
        return _options(environ, path)
    principal = None
    if not _is_public(path):
        principal = principal_of(door.authenticate, environ, _sent_path(environ))
    exchange.principal = principal
    if principal is None:
        shown = exchange.shown = parse.presentation(environ)
        interaction, _ = parse.parse_head(environ, door.settings, shown, exchange.request_id)
        return capability.respond(interaction, door.settings, door.custom(), shown, environ)
    try:
        interaction, shown, view = _asked(door, exchange, principal)
    except (FhirError, InvalidDocument) as error:
        _tell_refused(door, exchange, principal, error)
        raise
    result = door.handle(principal, interaction)
    return respond(result, interaction, shown, view, environ)


def _asked(
    door: Door, exchange: _Exchange, principal: Principal
) -> tuple[Interaction, Presentation, views.View]:
    """Return what is asked and how the answer is to look."""
    environ = exchange.environ
    shown = exchange.shown = parse.presentation(environ)
    interaction, route = parse.parse_head(environ, door.settings, shown, exchange.request_id)
    if route.form:
        interaction, shown = parse.parse_form(interaction, environ, door.settings, principal.kind)
    else:
        interaction = parse.parse_body(interaction, environ, door.settings, principal.kind)
    exchange.shown = shown
    # A view that can't be given is refused before any work is done for it.
    return interaction, shown, views.wanted_view(interaction)


def _tell_refused(
    door: Door, exchange: _Exchange, principal: Principal, error: FhirError | InvalidDocument
) -> None:
    """Audit a request that can't be read, where its head says what it asks and of what."""
    environ = exchange.environ
    try:
        shown = parse.fallback(environ)
        asked, _ = parse.parse_head(environ, door.settings, shown, exchange.request_id)
    except FhirError:
        return  # it names no interaction
    door.tell_refused(principal, asked, error)


def _is_public(path: str) -> bool:
    return path.strip("/") == "metadata"


def _sent_path(environ: Mapping[str, Any]) -> str:
    """Return the path below the base, percent-encoded, for proofs that name the address."""
    path: str = environ.get("PATH_INFO", "")
    below = path.removeprefix(bases.MOUNT) if path.startswith(bases.MOUNT) else path
    return quote(below, safe="/$*:@!&'()+,;=~", encoding="latin-1")


def _discard(environ: Mapping[str, Any], limit: int) -> None:
    """Take what nobody read of a known caller's body off the wire; a stranger's is left there."""
    try:
        bodies.discard(environ, limit)
    except OSError:
        _LOG.debug("body_broke_off")


def _options(environ: Mapping[str, Any], path: str) -> Response:
    _, methods = paths.find_place(path)
    headers: Headers = [("Allow", paths.allow(methods))]
    if "PATCH" in methods:
        headers.append(("Accept-Patch", ", ".join(MEDIA_TYPES)))
    if "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
        headers += cors.preflight()
    return 204, headers, []


def _fault(error: Exception, exchange: _Exchange) -> Response:
    """Answer a fault of ours. The log has its place but not its message, which may quote data."""
    places = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error(
        "request_failed id=%s error=%s\n%s", exchange.request_id, type(error).__name__, places
    )
    _LOG.debug("request_failed_detail id=%s", exchange.request_id, exc_info=error)
    fault = FhirError(f"The server failed on this request. Report id {exchange.request_id}.")
    return refuse(fault, exchange.shown or parse.fallback(exchange.environ), exchange.environ)


def finish(
    response: Response, environ: Mapping[str, Any], door: Door, request_id: str = ""
) -> Response:
    """Return the response with the headers that every answer has, and without a body for HEAD."""
    status, headers, body = response
    origin = environ.get("HTTP_ORIGIN", "")
    complete = [
        *headers,
        ("X-Request-Id", request_id or parse.request_id(environ)),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        *cors.allow_origin(
            origin,
            door.settings.cors_origins,
            door.is_registered,
            is_public=_is_public(environ.get("PATH_INFO", "").removeprefix(bases.MOUNT)),
        ),
    ]
    if environ.get("REQUEST_METHOD", "GET").upper() == "HEAD":
        _close(body)
        body = []
    return status, [(name, _one_line(value)) for name, value in _with_one_vary(complete)], body


def _with_one_vary(headers: Headers) -> Headers:
    """Return headers with all that an answer varies by in one: some caches heed the first only."""
    named = [value for name, value in headers if name == "Vary"]
    if len(named) < 2:
        return headers
    others = [(name, value) for name, value in headers if name != "Vary"]
    return [*others, ("Vary", ", ".join(named))]


def _one_line(value: str) -> str:
    """Return a header value that can't begin another header."""
    if value.isascii() and value.isprintable():
        return value
    return "".join(char if " " <= char <= "~" or char == "\t" else "?" for char in value)


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()
