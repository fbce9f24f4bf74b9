"""The Flask side: `/fhir` and all below it to the endpoint, and the two health answers.

`/healthz` says that the process answers, `/readyz` that it reaches its database and can record what
is asked.
"""

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from ehr.audit.failing import AuditFailed
from ehr.errors import FhirError
from ehr.rest import parse, respond
from ehr.rest.bases import MOUNT
from ehr.rest.endpoint import Door, endpoint, finish, log_request
from fhir_profiles.issues import Issue

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_LOG = logging.getLogger("ehr.rest")
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def fhir_routes(door: Door) -> Blueprint:
    """Return the routes of the FHIR API; every rule about them is in the endpoint."""
    routes = Blueprint("fhir", __name__)
    options = {"methods": METHODS, "provide_automatic_options": False}

    @routes.route(MOUNT, endpoint="base", **options)
    @routes.route(f"{MOUNT}/", endpoint="base_slash", **options)
    @routes.route(f"{MOUNT}/<path:path>", endpoint="path", **options)
    def fhir(path: str = "") -> Response:
        return _Answer(endpoint(door, request.environ))

    @routes.app_errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        """Answer what Flask refuses by itself: below the base in FHIR's way, elsewhere as text."""
        path = request.environ.get("PATH_INFO", "")
        if path != MOUNT and not path.startswith(f"{MOUNT}/"):
            return _elsewhere(error)
        issue = Issue("not-supported", f"{error.name}. {_advice(error)}")
        refusal = FhirError(issue.diagnostics, issues=(issue,))
        refusal.status = error.code or 500
        shown = parse.fallback(request.environ)
        refusal.headers = (("Allow", ", ".join(METHODS)),) if error.code == 405 else ()
        request_id = parse.request_id(request.environ)
        log_request(request.environ, refusal.status, perf_counter(), request_id)
        response = respond.refuse(refusal, shown, request.environ)
        return _Answer(finish(response, request.environ, door, request_id))

    return routes


def health_routes(is_ready: Callable[[], bool]) -> Blueprint:
    """Return the health routes; `is_ready` asks the database, and may raise what says why not."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return _plain("ok", 200)

    @routes.get("/readyz")
    def readyz() -> Response:
        why = "the database does not answer"
        try:
            ready = is_ready()
        except Exception as error:
            _LOG.warning("not_ready error=%s", type(error).__name__)
            ready = False
            if isinstance(error, AuditFailed):
                why = "what is asked can't be recorded"
        return _plain("ready", 200) if ready else _plain(why, 503)

    return routes


def _elsewhere(error: HTTPException) -> Response:
    text = (
        f"{error.name}. The record's API begins at {MOUNT}; {MOUNT}/metadata says what it offers."
    )
    return _plain(text, error.code or 500)


def _advice(error: HTTPException) -> str:
    if error.code == 405:
        return f"Methods here: {', '.join(METHODS)}."
    return "Check the address: it begins with a type as in Patient/123, after one slash."


class _Answer(Response):
    """A complete answer, sent as it is: werkzeug would copy every header and rewrite Location."""

    def __init__(self, answer: respond.Response) -> None:
        super().__init__()
        self.answer = answer

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Send it; the server closes the body."""
        status, headers, body = self.answer
        start_response(_STATUS[status], headers)
        return body


def _plain(text: str, status: int) -> Response:
    response = Response(f"{text}\n", status, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response
