"""The load generator: many keep-alive connections in one event loop, requests made beforehand.

It costs about 20 µs a request, a tenth of `http.client`, because it competes with the server for
the same cores. An answer other than 2xx ends the run.
"""

import selectors
import socket
import time
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Self
from urllib.error import URLError

_HEAD_END = b"\r\n\r\n"


class Refused(Exception):
    """An answer that is not 2xx: the run measures nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the server is, and the token to come with."""

    host: str
    port: int
    token: str

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return the bytes of a request below the base."""
        head = (
            f"{method} /fhir{path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Authorization: Bearer {self.token}\r\nAccept: application/fhir+json\r\n"
        )
        if body:
            head += f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


@dataclass(slots=True)
class Sent:
    """What came of a run: seconds of each answer in the order of arrival."""

    latencies: list[float] = field(default_factory=list)
    wall: float = 0.0
    kept: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class _Client:
    socket: socket.socket
    rest: memoryview
    started: float
    answer: bytearray = field(default_factory=bytearray)
    size: int = -1  # of the whole answer, once its head has come


class Kept:
    """One connection, on which requests are made one after the other."""

    def __init__(self, target: Target) -> None:
        self._socket = socket.create_connection((target.host, target.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> bytes:
        """Return the whole answer. Raises Refused where it is not 2xx."""
        self._socket.sendall(request)
        answer, size = bytearray(), -1
        while size < 0 or len(answer) < size:
            got = self._socket.recv(1 << 18)
            if not got:
                raise Refused(f"the server closed the connection after {bytes(answer[:500])!r}")
            answer += got
            if size < 0:
                size = _whole_size(answer)
        if answer[9:10] != b"2":
            raise Refused(bytes(answer[:2000]).decode("utf-8", "replace"))
        return bytes(answer)


def is_ready(target: Target) -> bool:
    """Tell whether the server answers and reaches its database."""
    try:
        with urllib.request.urlopen(f"http://{target.host}:{target.port}/readyz", timeout=5):
            return True
    except (URLError, OSError):
        return False


def send(
    target: Target,
    requests: Iterable[bytes],
    clients: int,
    *,
    seconds: float | None = None,
    keep: bool = False,
) -> Sent:
    """Send each request once, or round and round for some seconds; each client one at a time."""
    sent = Sent()
    started = time.perf_counter()
    stream = iter(requests) if seconds is None else _until(started + seconds, requests)
    with selectors.DefaultSelector() as selector:
        for request in _first(stream, clients):
            connection = socket.create_connection((target.host, target.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            client = _Client(connection, memoryview(request), time.perf_counter())
            selector.register(connection, _interest(client), client)
            _write(client, selector)
        while selector.get_map():
            for key, events in selector.select():
                if events & selectors.EVENT_WRITE:
                    _write(key.data, selector)
                if events & selectors.EVENT_READ:
                    _read(key.data, selector, stream, sent, keep)
    sent.wall = time.perf_counter() - started
    return sent


def _until(limit: float, requests: Iterable[bytes]) -> Iterator[bytes]:
    for request in cycle(requests):
        if time.perf_counter() >= limit:
            return
        yield request


def _first(stream: Iterator[bytes], count: int) -> Iterator[bytes]:
    for _, request in zip(range(count), stream, strict=False):
        yield request


def _interest(client: _Client) -> int:
    return selectors.EVENT_READ | (selectors.EVENT_WRITE if client.rest else 0)


def _write(client: _Client, selector: selectors.BaseSelector) -> None:
    try:
        while client.rest:
            client.rest = client.rest[client.socket.send(client.rest) :]
    except BlockingIOError:
        pass
    selector.modify(client.socket, _interest(client), client)


def _read(
    client: _Client,
    selector: selectors.BaseSelector,
    stream: Iterator[bytes],
    sent: Sent,
    keep: bool,
) -> None:
    got = client.socket.recv(1 << 18)
    if not got:
        raise Refused(f"the server closed the connection after {bytes(client.answer[:500])!r}")
    client.answer += got
    if client.size < 0:
        client.size = _whole_size(client.answer)
    if client.size < 0 or len(client.answer) < client.size:
        return
    now = time.perf_counter()
    if client.answer[9:10] != b"2":
        raise Refused(bytes(client.answer[:2000]).decode("utf-8", "replace"))
    sent.latencies.append(now - client.started)
    if keep:
        sent.kept.append(bytes(client.answer))
    request = next(stream, None)
    if request is None:
        selector.unregister(client.socket)
        client.socket.close()
        return
    client.rest, client.started = memoryview(request), time.perf_counter()
    client.answer, client.size = bytearray(), -1
    _write(client, selector)


def _whole_size(answer: bytearray) -> int:
    """Return the length of head and body, -1 while the head has not come whole."""
    end = answer.find(_HEAD_END)
    if end < 0:
        return -1
    head = bytes(answer[:end]).lower()
    start = head.find(b"\r\ncontent-length:")
    if start < 0:
        if b"\r\ntransfer-encoding:" in head:
            raise Refused("a chunked answer, which this generator does not read")
        return end + len(_HEAD_END)
    line = head[start + 17 :].partition(b"\r\n")[0]
    return end + len(_HEAD_END) + int(line)
