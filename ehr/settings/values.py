"""How the text of a setting becomes its value: friendly sizes and durations, strict for the rest.

Each reader takes text and returns the value or raises ValueError with the reason.
"""

import os
import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from auth.joining.mail import is_address

_SIZES = {
    "": 1,
    "b": 1,
    "k": 1024,
    "kb": 1000,
    "kib": 1024,
    "m": 1024**2,
    "mb": 1000**2,
    "mib": 1024**2,
    "g": 1024**3,
    "gb": 1000**3,
    "gib": 1024**3,
}
_DURATIONS = {"": 1.0, "ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([a-z]*)")
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})
_SECRET_LENGTH = 16


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader of one word out of a few."""

    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"choose from {', '.join(choices)}")
        return text.lower()

    return read


def switch(text: str) -> bool:
    """Read on or off, in the usual spellings."""
    word = text.lower()
    if word not in _ON | _OFF:
        raise ValueError("write on or off")
    return word in _ON


def number(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of a whole number within bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"it must be a whole number from {low} to {high}")
        return int(text)

    return read


def size(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of bytes: 65536, 64 MiB, 5MB, 1g."""

    def read(text: str) -> int:
        amount = int(_amount(text, _SIZES, "64 MiB"))
        if not low <= amount <= high:
            raise ValueError(f"it must be from {low} to {high} bytes")
        return amount

    return read


def duration(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of seconds: 30, 30 s, 2 min, 500ms."""

    def read(text: str) -> float:
        amount = _amount(text, _DURATIONS, "60 s")
        if not low <= amount <= high:
            raise ValueError(f"it must be from {low:g} to {high:g} seconds")
        return amount

    return read


def _amount(text: str, units: dict[str, float] | dict[str, int], example: str) -> float:
    found = _AMOUNT.fullmatch(text.lower())
    if found is None or found[2] not in units:
        raise ValueError(f"write it like {example}")
    return float(found[1]) * units[found[2]]


def timezone(text: str) -> str:
    """Read the name of a time zone that this machine knows; UTC needs no knowledge."""
    if text == "UTC":
        return text
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError):
        raise ValueError("this machine knows no such zone; write UTC or Europe/London") from None
    return text


def secret(text: str) -> str:
    """Read a secret that is long enough."""
    if len(text) < _SECRET_LENGTH:
        raise ValueError(f"it has fewer than {_SECRET_LENGTH} characters")
    return text


def database_url(text: str) -> str:
    """Read a database URL; the short PostgreSQL spellings name the driver we ship."""
    scheme, _, rest = text.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest:
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest.startswith("/"):
        return text
    raise ValueError("write sqlite:///file.db or postgresql://user:password@host/name")


def base_url(text: str) -> str:
    """Read the public base: http or https, a host, no query; a last slash is dropped."""
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must begin with https:// or http:// and name a host")
    if parts.query or parts.fragment or parts.username or re.search(r"[\s\"<>\\]", text):
        raise ValueError("it must have no user, query, fragment or space")
    return text.rstrip("/")


def smtp_url(text: str) -> str:
    """Read where e-mail is handed in: smtps:// or smtp://, and a host."""
    parts = urlsplit(text)
    if text and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
        raise ValueError("write smtps://user:password@mail.example.org")
    return text


def mail_address(text: str) -> str:
    """Read one e-mail address."""
    if text and not is_address(text):
        raise ValueError("write it like record@example.org")
    return text


def origins(text: str) -> tuple[str, ...]:
    """Read web origins, separated by spaces or commas; `*` stands for any."""
    found = tuple(part.rstrip("/") for part in re.split(r"[\s,]+", text) if part)
    for origin in found:
        parts = urlsplit(origin)
        if origin != "*" and (
            parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query
        ):
            raise ValueError(f"{origin} is no origin; write https://app.example.org")
    return found


def networks(text: str) -> tuple[str, ...]:
    """Read addresses and networks, separated by spaces or commas."""
    found = tuple(part for part in re.split(r"[\s,]+", text) if part)
    for each in found:
        try:
            ip_network(each)
        except ValueError:
            raise ValueError(f"{each} is no address or network; write 10.0.0.0/8") from None
    return found


def readable_file(text: str) -> str:
    """Read the name of a file that is there and may be read."""
    if text and not os.access(text, os.R_OK):
        raise ValueError("no such file is there, or it may not be read")
    return text


def folder(text: str) -> str:
    """Read the name of a folder, which is made when it is needed."""
    if not text or os.path.isfile(text):
        raise ValueError("name a folder")
    return text


def host(text: str) -> str:
    """Read an address or host name to listen on."""
    try:
        return str(ip_address(text))
    except ValueError:
        if _HOST_NAME.fullmatch(text):
            return text
    raise ValueError("write 127.0.0.1, 0.0.0.0, :: or a host name")


def without_password(text: str) -> str:
    """Return a URL with its password replaced; other text as it stands."""
    return re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", text)


def shown_url(url: str) -> str:
    """Return a database URL as a person writes it: without password and without our driver."""
    return without_password(url.replace("postgresql+psycopg://", "postgresql://", 1))
