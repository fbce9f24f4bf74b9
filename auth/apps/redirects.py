"""Addresses that browsers may be sent back to (RFC 9700 §2.1, RFC 8252 §7).

A redirect address is https, plain http to the machine itself, or a scheme of the application's own
such as `org.example.app:`. It must be one that was registered, character by character; only the
port of the machine itself is chosen when the application starts.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

_LONGEST = 2000
# What RFC 3986 lets an address consist of, less the fragment and what some browsers read as `/`.
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?((?:/.*)?)")
# With a dot: no scheme that a browser runs or opens has one (javascript, data, file, blob …).
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")
# What an answer may bring (RFC 6749 §4.1.2, RFC 9207; OpenID Connect Session Management).
_OURS = frozenset(
    {"code", "state", "iss", "error", "error_description", "error_uri", "session_state"}
)


def fault(uri: str) -> str | None:
    """Say why an address can't be registered; None where it can."""
    if not _CHARACTERS.fullmatch(uri) or len(uri) > _LONGEST:
        return "is no absolute address, or has a fragment or characters that belong encoded"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no absolute address"
    if "@" in parts.netloc:
        return "has a user name"
    if parts.scheme == "https":
        return None if host else "has no host"
    if parts.scheme == "http":
        return None if _LOOPBACK.fullmatch(uri) else "must be https, save on the machine itself"
    if not _OWN_SCHEME.fullmatch(parts.scheme):
        return "must be https, or a scheme of its own with a dot, as org.example.app:/back"
    return None


def fault_of_return(uri: str) -> str | None:
    """Say why an address can't be one to come back to; None where it can.

    It may have a query (RFC 6749 §3.1.2), but no part of it that we put behind it: an app would
    read the one or the other.
    """
    if (wrong := fault(uri)) is not None:
        return wrong
    named = {name for name, _ in parse_qsl(urlsplit(uri).query, keep_blank_values=True)}
    taken = sorted(named & _OURS)
    return f"has a query with {', '.join(taken)}, which the answer brings" if taken else None


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Tell whether an address is one of those registered; loopback ports may differ."""
    loopback = _LOOPBACK.fullmatch(uri)
    for one in registered:
        if one == uri:
            return True
        known = _LOOPBACK.fullmatch(one)
        if loopback and known and loopback.groups() == known.groups() and fault(uri) is None:
            return True
    return False
