"""Cross-origin requests (the Fetch standard's CORS protocol) and OPTIONS.

Scripts read answers at the origins that clients in use are registered with
(`auth/apps/origins.py`), and at those that EHR_CORS_ORIGINS names; the CapabilityStatement is for
all. No cookie is ever read here, and credentials are never allowed.
"""

from collections.abc import Callable, Sequence

Headers = list[tuple[str, str]]

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSED = (
    "Accept-Patch, Accept-Ranges, Allow, Content-Location, Content-Range, DPoP-Nonce, ETag, "
    "Last-Modified, Location, Retry-After, WWW-Authenticate, X-Request-Id"
)
_EXPOSING = ("Access-Control-Expose-Headers", _EXPOSED)
_ACCEPTED = (
    "Accept, Authorization, Content-Encoding, Content-Type, DPoP, If-Match, If-Modified-Since, "
    "If-None-Exist, If-None-Match, If-Range, If-Unmodified-Since, Prefer, Range, X-Provenance, "
    "X-Request-Id, X-Security-Context"
)
_SECONDS = "600"


def allow_origin(
    origin: str, allowed: Sequence[str], is_registered: Callable[[str], bool], *, is_public: bool
) -> Headers:
    """Return the headers that let a script of this origin read the answer.

    `is_public`: what everybody may read without a token.
    """
    if is_public or "*" in allowed:
        return [("Access-Control-Allow-Origin", "*"), _EXPOSING] if origin else []
    if not origin or not (origin in allowed or is_registered(origin)):
        return [("Vary", "Origin")]
    return [("Access-Control-Allow-Origin", origin), ("Vary", "Origin"), _EXPOSING]


def preflight() -> Headers:
    """Return what a script may send, for the question that comes before its request."""
    return [
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", _ACCEPTED),
        ("Access-Control-Max-Age", _SECONDS),
    ]
