"""What the caller would like and under which conditions: Prefer and the conditional headers.

R4 §3.1.0.1.9 (Prefer), §3.1.0.5 (concurrency); RFC 7240 and RFC 9110 §13.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from ehr.errors import Invalid
from ehr.messages import Instant, Preconditions, Preferences
from ehr.rest.bases import octets
from ehr.urls.conditions import entity_tags
from ehr.urls.queries import checked_text

_RETURN = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}


@lru_cache(maxsize=64)
def preferences(prefer: str) -> Preferences:
    """Read Prefer; what is not understood is ignored, as RFC 7240 asks."""
    wanted: dict[str, str] = {}
    for part in re.split(r"[,;]", prefer):
        name, _, value = part.partition("=")
        # The first of equal names holds (RFC 7240 §2).
        wanted.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    return Preferences(
        returning=_RETURN.get(wanted.get("return", ""), ""),
        lenient=wanted.get("handling") == "lenient",
        is_async="respond-async" in wanted,
    )


def preconditions(environ: Mapping[str, Any]) -> Preconditions:
    """Read the conditional headers of a WSGI environ."""
    return Preconditions(
        if_match=entity_tags(environ.get("HTTP_IF_MATCH"), "If-Match"),
        if_none_match=entity_tags(environ.get("HTTP_IF_NONE_MATCH"), "If-None-Match"),
        if_modified_since=http_date(environ.get("HTTP_IF_MODIFIED_SINCE")),
        if_unmodified_since=http_date(environ.get("HTTP_IF_UNMODIFIED_SINCE")),
        if_none_exist=_criteria(environ.get("HTTP_IF_NONE_EXIST")),
    )


def security_context(environ: Mapping[str, Any]) -> str | None:
    """Read X-Security-Context; raise Invalid for an empty one, which would leave content open."""
    text = environ.get("HTTP_X_SECURITY_CONTEXT")
    if text is None:
        return None
    context = checked_text(octets(text, "X-Security-Context"), "X-Security-Context").strip()
    if not context:
        raise Invalid("X-Security-Context is empty. Write a reference such as Patient/123.")
    return context


def provenance(environ: Mapping[str, Any]) -> bytes | None:
    """Read X-Provenance, a Provenance in JSON; whether it is one is told where it is stored."""
    text = environ.get("HTTP_X_PROVENANCE")
    return None if text is None else octets(text, "X-Provenance")


def http_date(text: str | None) -> Instant | None:
    """Return an HTTP date in milliseconds; None when it is none (RFC 9110 says: ignore it)."""
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return int(aware.timestamp()) * 1000
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _criteria(text: str | None) -> str | None:
    if text is None:
        return None
    criteria = checked_text(octets(text, "If-None-Exist"), "If-None-Exist").strip()
    if not criteria:
        raise Invalid("If-None-Exist is empty. Write search criteria like identifier=system|value.")
    return criteria
