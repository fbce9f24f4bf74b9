"""From a Result or an error to status, headers and body (R4 §3.1.0.1). The only writer of answers.

Stored JSON goes out as it is; XML, pretty print and views are derived here. 204, 304 and HEAD have
no body.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ehr.errors import FhirError
from ehr.interactions.views import WHOLE, View, view_of
from ehr.messages import Interaction, Result
from ehr.outcome import operation_outcome
from ehr.rest import ranges
from ehr.rest.cors import Headers
from ehr.rest.encodings import compress
from ehr.rest.parse import Presentation
from fhir_profiles import json_format, xml_format
from fhir_profiles.issues import InvalidDocument, Issue

Response = tuple[int, Headers, Iterable[bytes]]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_WRITES = frozenset({"create", "update", "patch"})
_BODILESS = frozenset({204, 304})


def respond(
    result: Result,
    interaction: Interaction,
    shown: Presentation,
    view: View,
    environ: Mapping[str, Any],
) -> Response:
    """Return the response to an interaction that was carried out."""
    headers = _headers(result, interaction)
    if result.chunks is not None:
        return _raw(result, headers, shown, environ)
    body = _preferred(result, interaction)
    if body is None or result.status in _BODILESS:
        empty = [] if result.status in _BODILESS else [("Content-Length", "0")]
        return result.status, headers + empty, []
    if view != WHOLE and 200 <= result.status < 300:
        body = view_of(body, view, interaction)
    return _with_body(result.status, headers, rendered(body, shown), shown, environ)


def respond_rendered(result: Result, shown: Presentation, environ: Mapping[str, Any]) -> Response:
    """Return the response to a Result whose body is in the format asked for already."""
    if result.body is None:
        return result.status, [*result.headers], []
    return _with_body(result.status, [*result.headers], result.body, shown, environ)


def refuse(
    error: FhirError | InvalidDocument, shown: Presentation, environ: Mapping[str, Any]
) -> Response:
    """Return the response to an interaction that was refused: an OperationOutcome."""
    if isinstance(error, InvalidDocument):
        status, extra = 400, []
    else:
        status, extra = error.status, [*error.headers]
    if status == 503 and not any(name == "Retry-After" for name, _ in extra):
        extra.append(("Retry-After", "1"))
    body = json_format.serialise(operation_outcome(error.issues))
    return _with_body(status, extra, rendered(body, shown), shown, environ)


def rendered(body: bytes, shown: Presentation) -> bytes:
    """Return a resource's JSON in the format asked for."""
    if shown.answer.format == "json" and not shown.pretty:
        return body
    try:
        resource = json_format.reparse(body)
        write = xml_format.serialise if shown.answer.format == "xml" else json_format.serialise
        text = write(resource, pretty=shown.pretty)
    except InvalidDocument as error:
        # Ours, not the caller's: what was accepted must be possible to write.
        raise RuntimeError("an answer can't be written in the format asked for") from error
    # Whoever asks for pretty text reads it on a terminal, whose prompt belongs on the next line.
    return text.rstrip(b"\n") + b"\n" if shown.pretty else text


def _preferred(result: Result, interaction: Interaction) -> bytes | None:
    """Return the body that Prefer: return asks for; only writes have a choice."""
    if interaction.name not in _WRITES or not 200 <= result.status < 300:
        return result.body
    returning = interaction.preferences.returning
    if returning == "minimal":
        return None
    if returning == "OperationOutcome":
        text = f"{interaction.name.capitalize()} done: {result.location or interaction.type}."
        done = Issue("informational", text, severity="information")
        return json_format.serialise(operation_outcome([done]))
    return result.body


def _headers(result: Result, interaction: Interaction) -> Headers:
    headers: Headers = []
    if result.version is not None:
        headers.append(("ETag", f'W/"{result.version}"'))
    if result.last_modified is not None:
        headers.append(("Last-Modified", _http_date(result.last_modified // 1000)))
    if result.location is not None:
        headers.append(("Location", _absolute(result.location, interaction.base)))
    return headers + list(result.headers)


def _http_date(seconds: int) -> str:
    """Return a moment as RFC 9110 §5.6.7 writes it; email.utils takes five times as long."""
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(seconds)
    return (
        f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} "
        f"{hour:02}:{minute:02}:{second:02} GMT"
    )


def _absolute(location: str, base: str) -> str:
    if location.startswith(("http://", "https://")):
        return location
    return f"{base}/{location.lstrip('/')}"


def _with_body(
    status: int,
    headers: Headers,
    body: bytes,
    shown: Presentation,
    environ: Mapping[str, Any],
) -> Response:
    body, coding = compress(body, environ.get("HTTP_ACCEPT_ENCODING", ""))
    described = [
        ("Content-Type", f"{shown.answer.media_type}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Vary", "Accept, Accept-Encoding"),
    ]
    if coding is not None:
        described.append(("Content-Encoding", coding))
    return status, headers + described, [body]


def _raw(
    result: Result, headers: Headers, shown: Presentation, environ: Mapping[str, Any]
) -> Response:
    """Stream raw content; a browser must neither guess its type nor run it."""
    headers = [
        *headers,
        ("Content-Type", _safe_media_type(result.content_type)),
        ("Content-Security-Policy", "default-src 'none'; sandbox"),
        ("Vary", "Accept"),
    ]
    chunks = result.chunks or ()
    size = result.content_length
    method = str(environ.get("REQUEST_METHOD", "GET")).upper()
    if size is None or result.status != 200:
        length = [] if size is None else [("Content-Length", str(size))]
        return result.status, headers + length, chunks
    headers.append(("Accept-Ranges", "bytes"))
    if method != "GET":
        return 200, [*headers, ("Content-Length", str(size))], chunks
    tag = f'W/"{result.version}"' if result.version is not None else ""
    try:
        part = ranges.wanted_range(
            environ.get("HTTP_RANGE"),
            environ.get("HTTP_IF_RANGE"),
            size,
            tag,
            result.last_modified,
        )
    except ranges.RangeNotSatisfiable:
        _close(chunks)
        return _unsatisfiable(size, shown, environ)
    if part is None:
        return 200, [*headers, ("Content-Length", str(size))], chunks
    described = [("Content-Range", part.content_range), ("Content-Length", str(part.length))]
    return 206, headers + described, ranges.cut(chunks, part)


def _unsatisfiable(size: int, shown: Presentation, environ: Mapping[str, Any]) -> Response:
    text = f"The content has {size} bytes and the range begins behind them."
    body = json_format.serialise(operation_outcome([Issue("value", text)]))
    headers = [("Content-Range", f"bytes */{size}")]
    return _with_body(416, headers, rendered(body, shown), shown, environ)


def _safe_media_type(text: str | None) -> str:
    """Return a media type that may stand in a header; stored text could be anything."""
    kept = (text or "").strip()
    usable = "/" in kept and kept.isascii() and kept.isprintable() and len(kept) <= 255
    return kept if usable else "application/octet-stream"


def _close(chunks: Iterable[bytes]) -> None:
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
