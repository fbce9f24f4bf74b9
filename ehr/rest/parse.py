"""From a WSGI environ to an Interaction, in two steps so that no body is read for a stranger.

`parse_head` reads method, path, query and headers; `parse_body` adds the document once the caller
is known. Knows no Flask: routes, the short-cut and tests call the same functions.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ehr.errors import Invalid, LengthRequired, NotAcceptable, UnsupportedMediaType
from ehr.messages import Document, Interaction, Params, replace
from ehr.rest import bases, bodies, documents, formats, preferences
from ehr.settings import Settings
from ehr.urls import queries
from ehr.urls.paths import Route, route

FORM = "application/x-www-form-urlencoded"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


@dataclass(frozen=True, slots=True)
class Presentation:
    """How the answer is to look; the parts that any answer has, errors too."""

    answer: formats.Answer = field(default_factory=formats.Answer)
    pretty: bool = False


def request_id(environ: Mapping[str, Any]) -> str:
    """Return the caller's X-Request-Id when it is a harmless one, else a new one."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)


def fallback(environ: Mapping[str, Any]) -> Presentation:
    """Return how to show an error before the format is settled: as asked, by Accept, in JSON."""
    try:
        return presentation(environ)
    except (Invalid, NotAcceptable):
        pass
    try:
        return Presentation(formats.negotiate(environ.get("HTTP_ACCEPT", ""), (), raw=True))
    except NotAcceptable:
        return Presentation()


def presentation(environ: Mapping[str, Any]) -> Presentation:
    """Return how the answer is to look; raise NotAcceptable or Invalid when that can't be."""
    return _presentation(environ, queries.decode_pairs(bases.query_octets(environ), "query"))


def parse_head(
    environ: Mapping[str, Any], settings: Settings, shown: Presentation, id: str
) -> tuple[Interaction, Route]:
    """Return the interaction without its document, and the route it came by."""
    method = environ.get("REQUEST_METHOD", "GET").upper()
    found = route(method, bases.path_below(environ))
    params = queries.decode_pairs(bases.query_octets(environ), "query")
    interaction = Interaction(
        name=found.name,
        type=found.type,
        id=found.id,
        version=found.version,
        operation=found.operation,
        compartment=found.compartment,
        params=queries.without_formatting(params),
        preconditions=preferences.preconditions(environ),
        preferences=preferences.preferences(environ.get("HTTP_PREFER", "")),
        method=method,
        base=bases.base_url(environ, settings.base_url),
        request_id=id,
        security_context=preferences.security_context(environ),
        provenance=preferences.provenance(environ),
        accept=(shown.answer.media_type,) if shown.answer.explicit else (),
    )
    return interaction, found


def parse_body(
    interaction: Interaction, environ: Mapping[str, Any], settings: Settings, kind: str
) -> Interaction:
    """Return the interaction with the document in the body, if it takes one.

    `kind` of caller says how long the body may be.
    """
    if interaction.method in ("GET", "HEAD", "DELETE"):
        return interaction
    body = bodies.read_body(environ, settings.body_limit.of(kind))
    content_type = str(environ.get("CONTENT_TYPE") or "")
    if interaction.name == "operation" and not body:
        return interaction
    document = _document(interaction, body, content_type, settings.depth_limit)
    if document.resource is None and interaction.type == "Binary" and interaction.name != "patch":
        _refuse_endless(environ)
    if interaction.name == "batch":
        return replace(interaction, name=_bundle_kind(document), document=document)
    return replace(interaction, document=document)


def _refuse_endless(environ: Mapping[str, Any]) -> None:
    """Raise LengthRequired for raw content of which half would look like the whole."""
    if not bodies.tells_its_end(environ):
        raise LengthRequired(
            "Raw content needs a Content-Length, or gzip or zstd as Content-Encoding, so that an "
            "upload that breaks off is not taken for the whole."
        )


def parse_form(
    interaction: Interaction, environ: Mapping[str, Any], settings: Settings, kind: str
) -> tuple[Interaction, Presentation]:
    """Return a POST search with the criteria of its form, which may choose the format as well."""
    body = bodies.read_body(environ, settings.body_limit.of(kind)).strip(b"\r\n")
    content_type = formats.read_content_type(str(environ.get("CONTENT_TYPE") or "")).name
    if body and content_type != FORM:
        raise UnsupportedMediaType(f"A search by POST takes a form. Send Content-Type: {FORM}.")
    form = queries.decode_pairs(body, "form")
    query = queries.decode_pairs(bases.query_octets(environ), "query")
    return (
        replace(interaction, params=interaction.params + queries.without_formatting(form)),
        _presentation(environ, query + form),
    )


def _document(interaction: Interaction, body: bytes, content_type: str, depth: int) -> Document:
    if interaction.name == "patch":
        return documents.read_patch(body, content_type, depth)
    if interaction.type == "Binary" and interaction.name in ("create", "update"):
        return documents.read_binary(body, content_type, depth)
    return documents.read_resource(body, content_type, depth)


def _bundle_kind(document: Document) -> str:
    resource = document.resource
    kind = resource.get("type") if resource.get("resourceType") == "Bundle" else None
    if kind not in ("batch", "transaction"):
        raise Invalid(
            "POST to the base takes a Bundle of type batch or transaction. "
            "Send one resource to [base]/[type].",
            code="value",
            expression="Bundle.type" if resource.get("resourceType") == "Bundle" else "",
        )
    return str(kind)


def _presentation(environ: Mapping[str, Any], params: Params) -> Presentation:
    asked = tuple(dict.fromkeys(_values(params, "_format")))
    if len(asked) > 1:
        raise Invalid("`_format` is given twice. Send it once.", code="value")
    found = formats.negotiate(environ.get("HTTP_ACCEPT", ""), asked, raw=_may_be_raw(environ))
    lenient = preferences.preferences(environ.get("HTTP_PREFER", "")).lenient
    return Presentation(found, _pretty(params, lenient=lenient))


def _values(params: Params, name: str) -> tuple[str, ...]:
    return tuple(value for found, value in params if found == name)


def _pretty(params: Params, *, lenient: bool) -> bool:
    asked = set(filter(None, _values(params, "_pretty")))
    if lenient:
        asked &= queries.PRETTY
    if not asked <= queries.PRETTY or len(asked) > 1:
        wrong = ", ".join(sorted(asked - queries.PRETTY))[:40] or "both true and false"
        raise Invalid(f"`_pretty` is `{wrong}`. Write _pretty=true.", code="value")
    return asked == {"true"}


def _may_be_raw(environ: Mapping[str, Any]) -> bool:
    """Return whether the path may lead to raw content, which has any media type."""
    segments = environ.get("PATH_INFO", "").removeprefix(bases.MOUNT).strip("/").split("/")
    return segments[0] == "Binary" and len(segments) in (2, 4)
