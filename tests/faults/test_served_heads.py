"""Requests that the HTTP server refuses before the record sees them."""

import socket
from collections.abc import Iterator

import pytest

from tests import engines
from tests.faults.serving import Server, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("heads")
    with engines.fresh_url(engines.chosen()[0], folder) as url, serving(url) as started:
        yield started


def _status(server: Server, head: str) -> int:
    with socket.create_connection((server.target.host, server.target.port), timeout=30) as one:
        one.sendall(f"{head}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return int(one.recv(65536).split(b" ")[1])


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /healthz HTTP/1.1", 200),
        ("GET /healthz HTTP/1.1\r\nX-Long: " + "a" * 30_000, 200),
        ("GET /healthz HTTP/1.1\r\nX-Long: " + "a" * 200_000, 431),
        ("GET /healthz?" + "a" * 70_000 + " HTTP/1.1", 414),
        ("POST /fhir HTTP/1.1\r\nContent-Length: -5", 400),
        ("POST /fhir HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6", 400),
    ],
    ids=["plain", "long header", "too long header", "too long address", "negative", "doubled"],
)
def test_what_a_head_is_answered_with(server: Server, head: str, status: int) -> None:
    assert _status(server, head) == status
