"""Sending e-mail through the operator's server: SMTP (RFC 5321) under TLS (RFC 8314, RFC 3207).

A message is plain text and holds nothing of anybody's record. Without TLS nothing is sent, but to
a server on this machine.
"""

import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

_PATIENCE = 10  # seconds
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}"
)


class NotSent(Exception):
    """The server did not take a message; what a page may say of it."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where messages are handed in, and who they are from."""

    url: str  # smtps://user:password@host:465, or smtp://… for STARTTLS
    sender: str


def is_address(text: str) -> bool:
    """Tell whether a text is one e-mail address, of the kind that people have."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def send(server: Server, to: str, subject: str, text: str) -> None:
    """Hand in a message. Raises NotSent."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, to, subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    try:
        with _connected(server.url) as connection:
            connection.send_message(message)
    except smtplib.SMTPRecipientsRefused:
        raise NotSent("The e-mail server does not take mail for this address.") from None
    except (OSError, smtplib.SMTPException, ValueError):
        raise NotSent("The e-mail server can't be reached, or refused the message.") from None


def _connected(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or ""
    trusted = ssl.create_default_context()
    if parts.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=_PATIENCE, context=trusted
        )
    else:
        connection = smtplib.SMTP(host, parts.port or 587, timeout=_PATIENCE)
    try:
        if parts.scheme != "smtps" and not _is_here(host):
            connection.starttls(context=trusted)
        if parts.username:
            connection.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
