"""Bodies that do not arrive: they hold some threads of a server, never all, and not for long."""

import contextlib
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests import engines, given
from tests.faults.serving import Server, serving

pytestmark = pytest.mark.slow

BODIES = 60
PATIENCE = 3  # seconds
_FHIR, _FORM = "application/fhir+json", "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("slow")
    with (
        engines.fresh_url(engines.chosen()[0], folder) as url,
        serving(url, EHR_BODY_TIMEOUT=f"{PATIENCE} s") as started,
    ):
        yield started


def _begun(
    server: Server, head: str, body: bytes, path: str = "/fhir/Patient", kind: str = _FHIR
) -> socket.socket:
    one = socket.create_connection((server.target.host, server.target.port), timeout=30)
    one.sendall(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
        f"Authorization: Bearer {server.target.token}\r\n{head}\r\n\r\n".encode()
        + body
    )
    return one


@contextlib.contextmanager
def _hanging(server: Server, number: int) -> Iterator[list[socket.socket]]:
    """Give connections that have sent one byte of the body that they announced."""
    begun = [_begun(server, "Content-Length: 500", b"{") for _ in range(number)]
    time.sleep(0.5)
    try:
        yield begun
    finally:
        for each in begun:
            each.close()


def _answer(one: socket.socket) -> tuple[int, bytes]:
    """Return what came until the server closed."""
    got = b""
    while part := one.recv(65536):
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


def _seconds(server: Server, method: str, path: str, body: object = None) -> float:
    caller = server.caller()
    begin = time.monotonic()
    answer = caller.ask(method, path, body)
    assert answer.ok, answer.body
    caller.close()
    return time.monotonic() - begin


def _healthy(server: Server) -> float:
    begin = time.monotonic()
    with socket.create_connection((server.target.host, server.target.port), timeout=30) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert _answer(one) == (200, b"ok\n")
    return time.monotonic() - begin


def test_others_are_answered_while_bodies_hang(server: Server) -> None:
    with _hanging(server, BODIES):
        took = [_healthy(server) for _ in range(10)]
        took += [_seconds(server, "GET", "Patient") for _ in range(5)]

    assert max(took) < PATIENCE / 2, took


def test_others_may_write_while_a_few_bodies_hang(server: Server) -> None:
    with _hanging(server, BODIES // 3):
        took = [_seconds(server, "POST", "Patient", given.patient()) for _ in range(5)]

    assert max(took) < PATIENCE / 2, took


def test_bodies_that_hang_are_cut_off_and_told_so(server: Server) -> None:
    begin = time.monotonic()
    with _hanging(server, BODIES) as begun:
        answers = [_answer(one) for one in begun]
    took = time.monotonic() - begin

    statuses = Counter(status for status, _ in answers)
    assert set(statuses) <= {408, 503}
    assert statuses[408] >= BODIES / 2
    assert PATIENCE <= took < PATIENCE + 8
    outcome = json.loads(next(body for status, body in answers if status == 408))
    assert outcome["issue"][0]["code"] == "timeout"
    assert f"{PATIENCE} s" in outcome["issue"][0]["diagnostics"]


def test_more_than_have_places_are_refused_for_a_moment(server: Server) -> None:
    with _hanging(server, 3 * BODIES) as begun:
        healthy = max(_healthy(server) for _ in range(10))
        answers = [_answer(one) for one in begun]

    assert healthy < PATIENCE
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) == {408, 503}
    body = next(body for status, body in answers if status == 503)
    assert json.loads(body)["issue"][0]["code"] == "throttled"


def test_a_body_that_trickles_is_cut_off(server: Server) -> None:
    with contextlib.closing(_begun(server, "Content-Length: 500", b"{")) as one:
        begin = time.monotonic()
        one.settimeout(0.5)
        got = b""
        while not got and time.monotonic() < begin + 4 * PATIENCE:
            with contextlib.suppress(OSError):
                one.sendall(b" ")
            with contextlib.suppress(TimeoutError):
                got = one.recv(65536)
        assert got.startswith(b"HTTP/1.1 408")


def test_a_body_that_was_asked_for_is_cut_off(server: Server) -> None:
    head = "Content-Length: 500\r\nExpect: 100-continue"
    with contextlib.closing(_begun(server, head, b"")) as one:
        assert one.recv(100).startswith(b"HTTP/1.1 100")
        assert _answer(one)[0] == 408


def test_a_slow_body_that_keeps_coming_is_taken(server: Server) -> None:
    text = json.dumps(given.patient()).encode() + b" " * 600_000
    with contextlib.closing(_begun(server, f"Content-Length: {len(text)}", b"")) as one:
        step = len(text) // 14
        for begin in range(0, len(text), step):
            one.sendall(text[begin : begin + step])
            time.sleep(0.5)
        assert one.recv(100).startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize("path", ["/auth/token", "/auth/sign-in", "/auth/register"])
def test_strangers_that_send_no_whole_form_stop_nobody(server: Server, path: str) -> None:
    kind = "application/json" if path == "/auth/register" else _FORM
    head = "Content-Length: 500"
    begun = [_begun(server, head, b"a", path, kind) for _ in range(3 * BODIES)]
    time.sleep(0.5)
    try:
        took = [_healthy(server) for _ in range(5)]
        took += [_seconds(server, "GET", "Patient") for _ in range(3)]
        statuses = Counter(_answer(one)[0] for one in begun)
    finally:
        for one in begun:
            one.close()

    assert max(took) < PATIENCE, took
    assert set(statuses) == {408, 503}
