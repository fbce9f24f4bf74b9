"""Addresses that strangers give lead nowhere but to public servers, shortly and once (T18, T30)."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auth.jose import safe_fetch
from auth.jose.safe_fetch import FetchRefused, fetch_json, is_public

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def _serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve on a loopback port, by TLS where there is a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(HTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass  # the other side hangs up on purpose

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _says(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def _fetch(port: int, path: str = "/jwks") -> safe_fetch.Fetched:
    origin = f"http://127.0.0.1:{port}"
    return fetch_json(origin + path, allowed={origin})


@pytest.mark.parametrize(
    ("control", "age"),
    [
        ("", None),
        ("max-age=60", 60),
        ("public, max-age=60, must-revalidate", 60),
        ("no-store", 0),
        ("no-cache, max-age=60", 0),
        ("s-maxage=60", None),
        ("max-age=x", None),
    ],
)
def test_a_document_comes_with_how_long_it_may_be_kept(control: str, age: int | None) -> None:
    with _serving(_says(b'{"keys": []}', Cache_Control=control)) as port:
        found = _fetch(port)

    assert (found.document, found.max_age) == ({"keys": []}, age)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (_says(b"", 302, Location="http://127.0.0.1:1/"), "302"),
        (_says(b"{}", 404), "404"),
        (_says(b"{"), "no JSON"),
        (_says(b"[" * 50_000), "no JSON"),
        (_says(b" " * 70_000), "more than"),
    ],
    ids=["redirect", "missing", "broken", "deep", "huge"],
)
def test_t18_other_answers_are_refused(answer: Answer, why: str) -> None:
    with _serving(answer) as port, pytest.raises(FetchRefused, match=why):
        _fetch(port)


@pytest.mark.parametrize("drips", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_t18_who_answers_slowly_is_cut_off(drips: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_fetch, "PATIENCE", 0.3)

    dripped: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(drips)
        for number in range(2000):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            dripped.append(number)
            time.sleep(0.02)

    with _serving(answer) as port:
        with pytest.raises(FetchRefused):
            _fetch(port)
        # However slow the machine is, so is the server: it had not come to its end.
        assert len(dripped) < 2000


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example.org/jwks",
        "ftp://keys.example.org/jwks",
        "file:///etc/passwd",
        "https:///jwks",
        "https://user@keys.example.org/jwks",
        "https://keys.example.org:x/jwks",
        "https://keys.example.org/a\r\nHost: other",
        "https://[::1",
        "",
    ],
)
def test_t30_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        fetch_json(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
    ],
)
def test_t30_addresses_of_our_own_network_are_not_public(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_public(address)
    _resolve(monkeypatch, "93.184.216.34", address)
    with pytest.raises(FetchRefused, match="not public"):
        fetch_json("https://keys.example.org/jwks")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("name", ["127.1", "0x7f000001", "2130706433", "localhost", "[::1]"])
def test_t30_other_ways_to_write_this_machine_are_this_machine(name: str) -> None:
    with pytest.raises(FetchRefused):
        fetch_json(f"https://{name}/jwks")


def test_a_name_without_an_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(FetchRefused, match="no address"):
        fetch_json("https://keys.example.org/jwks")


def test_t30_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with _serving(_says(b"{}")) as port:
        asked = _resolve(monkeypatch, "127.0.0.1")
        origin = f"http://keys.example.org:{port}"
        fetch_json(origin, allowed={origin})

    # Once by the name; connecting to a number asks again, for that number.
    assert [one for one in asked if not one.startswith("127.")] == ["keys.example.org"]


@pytest.mark.parametrize("name", ["keys.example.org", "other.example.org"])
def test_t30_the_name_is_checked_by_tls(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context = _certified(tmp_path, "keys.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    safe_fetch._tls.cache_clear()
    with _serving(_says(b"{}"), context) as port:
        _resolve(monkeypatch, "127.0.0.1")
        origin = f"https://{name}:{port}"
        if name == "keys.example.org":
            assert fetch_json(origin, allowed={origin}).document == {}
        else:
            with pytest.raises(FetchRefused, match="SSLCertVerificationError"):
                fetch_json(origin, allowed={origin})
    safe_fetch._tls.cache_clear()


def _resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name have these addresses; return the names that are asked for."""
    asked: list[str] = []

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        given = [host] if host.replace(".", "").isdigit() else addresses
        return [(_family(one), socket.SOCK_STREAM, 6, "", (one, port)) for one in given]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def _family(address: str) -> socket.AddressFamily:
    is_new = ip_address(address.partition("%")[0]).version == 6
    return socket.AF_INET6 if is_new else socket.AF_INET


def _certified(folder: Path, name: str) -> ssl.SSLContext:
    """Make a certificate for a name, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
