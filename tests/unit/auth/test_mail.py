"""E-mail: never beyond this machine without TLS, never to a server that nobody vouches for."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auth.joining import mail
from auth.joining.mail import NotSent, Server
from tests import mail_server

TO = "mary@example.org"


def test_without_tls_nothing_leaves_this_machine() -> None:
    with mail_server.served() as box:
        # 127.1 leads here, but is not written as an address of this machine.
        with pytest.raises(NotSent):
            mail.send(Server(f"smtp://127.1:{box.port}", "record@example.org"), TO, "Hi", "Hello")
        mail.send(Server(f"smtp://127.0.0.1:{box.port}", "record@example.org"), TO, "Hi", "Hello")

        assert len(box.messages) == 1


def test_a_server_that_nobody_vouches_for_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = _trusted(tmp_path)
    with mail_server.served(context) as box:
        server = Server(f"smtps://127.0.0.1:{box.port}", "record@example.org")
        with pytest.raises(NotSent, match="can't be reached"):
            mail.send(server, TO, "Hi", "Hello")
        assert box.messages == []

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        mail.send(server, TO, "Hi", "Hello")
        assert len(box.messages) == 1


def test_starttls_comes_before_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 3207, with a certificate that somebody vouches for; password and mail only after it."""
    certificate, context = _trusted(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server.served(starttls=context) as box:
        mail.send(_elsewhere(box.port), TO, "Hi", "Hello")

    assert len(box.messages) == 1
    in_the_open = [word.partition(" ")[0].upper() for word, is_secret in box.heard if not is_secret]
    assert in_the_open == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize("fault", ["nobody vouches", "another name"])
def test_starttls_with_a_certificate_that_does_not_fit_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    certificate, context = _trusted(tmp_path)
    host = "127.1"
    if fault == "another name":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        host = "127.0.1"
    with (
        mail_server.served(starttls=context) as box,
        pytest.raises(NotSent, match="can't be reached"),
    ):
        mail.send(_elsewhere(box.port, host), TO, "Hi", "Hello")

    assert box.messages == []
    assert not any("@" in word for word, _ in box.heard)


def test_a_server_that_is_not_there_is_told() -> None:
    with mail_server.served() as box:
        port = box.port

    with pytest.raises(NotSent, match="can't be reached"):
        mail.send(Server(f"smtp://127.0.0.1:{port}", "record@example.org"), TO, "Hi", "Hello")


def _elsewhere(port: int, host: str = "127.1") -> Server:
    """Return the server under a name that leads here, but is none of this machine."""
    return Server(f"smtp://{host}:{port}", "record@example.org")


def _trusted(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for that name, and what a server shows it with."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName(
        [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("127.1")]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private
