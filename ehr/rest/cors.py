"""Cross-origin requests (the Fetch standard's CORS protocol) and OPTIONS.

No cookie is ever read here, so credentials are not allowed and any origin may be.
"""

from collections.abc import Sequence

Headers = list[tuple[str, str]]

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSED = (
    "Accept-Patch, Accept-Ranges, Allow, Content-Location, Content-Range, ETag, Last-Modified, "
    "Location, X-Request-Id"
)
_ACCEPTED = (
    "Accept, Authorization, Content-Encoding, Content-Type, If-Match, If-Modified-Since, "
    "If-None-Exist, If-None-Match, If-Range, If-Unmodified-Since, Prefer, Range, X-Request-Id, "
    "X-Security-Context"
)
_SECONDS = "600"


def allow_origin(origin: str, allowed: Sequence[str]) -> Headers:
    """Return the headers that let a script of this origin read the answer."""
    if not origin or not allowed:
        return []
    if "*" in allowed:
        return [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", _EXPOSED)]
    if origin not in allowed:
        return [("Vary", "Origin")]
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Vary", "Origin"),
        ("Access-Control-Expose-Headers", _EXPOSED),
    ]


def preflight() -> Headers:
    """Return what a script may send, for the question that comes before its request."""
    return [
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", _ACCEPTED),
        ("Access-Control-Max-Age", _SECONDS),
    ]
