"""Fetch a small JSON document from an address that a stranger gave, and from nowhere else.

https only. The name is resolved once, every address of it must be public, and the connection goes
to the address that was looked at, with the name checked by TLS: so no answer of a name server leads
into our own network (SSRF). No redirects, no proxy, 64 KB, two seconds in all.
"""

import contextlib
import http.client
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

PATIENCE = 2.0
LARGEST = 64 * 1024
_RESOLVERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")
# Addresses that carry another one inside: they are judged by what they carry, so not at all.
_CARRIERS = tuple(
    ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_UNKEPT = re.compile(r"(?:^|[,\s])(?:no-store|no-cache)(?:[,=\s]|$)", re.IGNORECASE)


class FetchRefused(Exception):
    """Why nothing was fetched: for a log and an operator, without what was answered."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and for how many seconds its sender lets it be kept; None if it says nothing."""

    document: Any
    max_age: int | None


def fetch_json(url: str, *, allowed: Collection[str] = (), token: str | None = None) -> Fetched:
    """Fetch a JSON document. Raises FetchRefused.

    `allowed` are origins, as http://127.0.0.1:8080, that need be neither public nor https; `token`
    is sent as Bearer.
    """
    return _fetch(url, allowed, None, token)


def post_form(url: str, form: Mapping[str, str], *, allowed: Collection[str] = ()) -> Fetched:
    """Send a form and return the JSON document that answers it, as `fetch_json` does."""
    return _fetch(url, allowed, urlencode(form))


def _fetch(
    url: str, allowed: Collection[str], form: str | None, token: str | None = None
) -> Fetched:
    parts = _parts(url)
    is_allowed = f"{parts.scheme}://{parts.netloc}" in allowed
    if parts.scheme != "https" and not is_allowed:
        raise FetchRefused("The address is not https.")
    deadline = time.monotonic() + PATIENCE
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = _vetted(host, port, is_allowed, deadline)
    try:
        with _connected(parts, host, port, address, deadline) as connection:
            return _ask(connection, parts, form, token)
    except (OSError, http.client.HTTPException) as error:
        raise FetchRefused(f"No answer could be read ({type(error).__name__}).") from None


def is_public(text: str) -> bool:
    """Tell whether an IP address is one of the public Internet, and carries no other inside."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return _is_global(address.ipv4_mapped)
    if isinstance(address, IPv6Address) and any(address in one for one in _CARRIERS):
        return False
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False  # RFC 3879: no more to be used, and still routed inside where it was
    return _is_global(address)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise FetchRefused("The address can't be read.") from None
    if not host or "@" in parts.netloc or not url.isascii() or re.search(r"[\x00-\x20\\]", url):
        raise FetchRefused("The address can't be read.")
    return parts


def _vetted(host: str, port: int, is_allowed: bool, deadline: float) -> str:
    """Return the address to connect to, if all that the name has are public."""
    asked = _RESOLVERS.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = asked.result(timeout=max(0.0, deadline - time.monotonic()))
    except (OSError, UnicodeError, TooSlow):
        raise FetchRefused("The name has no address.") from None
    addresses = [str(one[4][0]) for one in found]
    if not addresses:
        raise FetchRefused("The name has no address.")
    if not is_allowed and not all(map(is_public, addresses)):
        raise FetchRefused("The name leads into a network that is not public.")
    return addresses[0]


@contextmanager
def _connected(
    parts: SplitResult, host: str, port: int, address: str, deadline: float
) -> Iterator[http.client.HTTPConnection]:
    """Connect to the address that was vetted, whatever the name says by now, until the deadline."""
    left = max(0.01, deadline - time.monotonic())
    opened: socket.socket = socket.create_connection((address, port), timeout=left)
    # Whoever answers a byte at a time never meets a time-out of the socket.
    cut = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [opened])
    cut.daemon = True
    cut.start()
    connection = http.client.HTTPConnection(host, port)
    try:
        if parts.scheme == "https":
            opened = _tls().wrap_socket(opened, server_hostname=host)
        connection.sock = opened
        yield connection
    finally:
        cut.cancel()
        connection.close()
        opened.close()


def _cut(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _ask(
    connection: http.client.HTTPConnection,
    parts: SplitResult,
    form: str | None,
    token: str | None,
) -> Fetched:
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    headers = {"Host": parts.netloc, "Accept": "application/json", "Connection": "close"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    connection.request("GET" if form is None else "POST", path, form, headers)
    with contextlib.closing(connection.getresponse()) as answer:
        if answer.status != 200:
            raise FetchRefused(f"The answer was {answer.status}, not 200.")
        content = bytearray()
        while piece := answer.read1(8192):
            content += piece
            if len(content) > LARGEST:
                raise FetchRefused(f"The answer has more than {LARGEST} bytes.")
        control = answer.headers.get("Cache-Control", "")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise FetchRefused("The answer is no JSON.") from None
    return Fetched(document, _max_age(control))


def _max_age(control: str) -> int | None:
    if _UNKEPT.search(control):
        return 0
    found = _MAX_AGE.search(control)
    return int(found[1]) if found else None
