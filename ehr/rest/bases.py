"""The base URL of the API as the caller sees it, and the path below it.

`EHR_BASE_URL` states it; without it the base is taken from the request's Host, which is checked to
be a host and nothing else because it is written into links.
"""

import re
from collections.abc import Mapping
from typing import Any

from ehr.errors import Invalid
from ehr.urls.queries import checked_text

MOUNT = "/fhir"

_HOST = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def base_url(environ: Mapping[str, Any], stated: str) -> str:
    """Return the base without a last slash; raise Invalid when Host is no host."""
    if stated:
        return stated
    host = environ.get("HTTP_HOST") or _server(environ)
    if not _HOST.fullmatch(host):
        raise Invalid("The Host header is no host name. Send the name of this server.")
    scheme = "https" if environ.get("wsgi.url_scheme") == "https" else "http"
    prefix = environ.get("SCRIPT_NAME", "")
    return f"{scheme}://{host}{prefix if prefix.isascii() else ''}{MOUNT}"


def path_below(environ: Mapping[str, Any]) -> str:
    """Return the path below the base, decoded strictly."""
    path = environ.get("PATH_INFO", "")
    below = path[len(MOUNT) :] if path == MOUNT or path.startswith(f"{MOUNT}/") else path
    return checked_text(octets(below, "path"), "path")


def query_octets(environ: Mapping[str, Any]) -> bytes:
    """Return the query string as it came."""
    return octets(environ.get("QUERY_STRING", ""), "query")


def octets(text: str, where: str) -> bytes:
    """Return the octets that WSGI hands over as Latin-1 text."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise Invalid(f"The {where} is not UTF-8. Percent-encode text as UTF-8.") from None


def _server(environ: Mapping[str, Any]) -> str:
    name = environ.get("SERVER_NAME") or "localhost"
    port = str(environ.get("SERVER_PORT") or "")
    usual = "443" if environ.get("wsgi.url_scheme") == "https" else "80"
    return f"{name}:{port}" if port and port != usual else str(name)
