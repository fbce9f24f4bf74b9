"""What is refused before it is read, and what is told where an endpoint fails.

Clients are told in JSON (RFC 6749 §5.2), people on a page. A fault of ours has a reference to find
it by: the log has its kind and place, never its message, which may quote what was sent.
"""

import logging
import secrets
import traceback
from collections.abc import Iterator

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.wrappers import Response as AnyResponse

from auth import pages
from auth.endpoints.cors import PUBLIC, SCRIPTED
from auth.surroundings import Surroundings

_LOG = logging.getLogger("auth.faults")
_LARGEST = 128 * 1024
_TEXTS = {
    413: f"What was sent is larger than {_LARGEST // 1024} KB.",
    415: "Nothing is uploaded here. Send a form without files.",
}
_UNREAD = "What was sent can't be read."
_BUSY = "This server is busy. Try again in a moment."
_CODES = {408: "invalid_request", 500: "server_error", 503: "temporarily_unavailable"}


def open_faults(routes: Blueprint, surroundings: Surroundings) -> None:
    """Bound what is sent to the routes of `auth`, and answer for their faults."""

    @routes.before_request
    def bound() -> None:
        """Refuse what is too large, NUL, and files: they would be written to the disk."""
        request.max_content_length = _LARGEST
        if (request.content_length or 0) > _LARGEST:
            raise RequestEntityTooLarge
        if request.mimetype.startswith("multipart/"):
            raise UnsupportedMediaType
        if not _is_for_clients() and any("\0" in sent for _, sent in _values()):
            raise BadRequest  # not every database can be asked for it

    @routes.errorhandler(HTTPException)
    def refused(error: HTTPException) -> AnyResponse:
        if error.response is not None:  # a page that a view answers with
            return error.get_response()
        code = error.code or 400
        return _told(code, "This can't be read", _TEXTS.get(code, _UNREAD))

    @routes.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        if isinstance(error, surroundings.refusals):
            status = 408 if getattr(error, "status", 503) == 408 else 503
            answer = _told(status, "This can't be done now", str(error))
            answer.headers.extend(getattr(error, "headers", ()))
            return answer
        if isinstance(error, OperationalError):
            _LOG.warning("auth_database_busy at=%s", request.endpoint)
            return _told(503, "This can't be done now", _BUSY)
        return _fault(error)


def _values() -> Iterator[tuple[str, str]]:
    yield from request.args.items(multi=True)
    yield from request.form.items(multi=True)


def _fault(error: Exception) -> Response:
    reference = secrets.token_hex(8)
    places = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("auth_failed id=%s error=%s\n%s", reference, type(error).__name__, places)
    text = f"The server failed on this. Try again; if that does not help, report {reference}."
    return _told(500, "Something went wrong here", text)


def _told(status: int, heading: str, text: str) -> Response:
    if not _is_for_clients():
        return pages.refused(heading, text, status=status)
    answer = jsonify(error=_CODES.get(status, "invalid_request"), error_description=text)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _is_for_clients() -> bool:
    below = request.path.removeprefix("/auth/")
    return below == request.path or below.split("/")[0] in (*SCRIPTED, *PUBLIC)
