"""Passwords: Argon2id (RFC 9106), and the rules of NIST SP 800-63B §3.1.1 and of the NCSC.

A password has 12 characters or more and is neither common nor the sign-in name; what characters it
is made of does not matter. Checking takes the same time whether the user exists or not (T24).

Each hash needs 64 MiB, and anybody may ask for one: so a process makes two at a time, few wait, and
others are told to come back. Threads that serve the record stay free.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import Connection, delete, insert, select

from auth.models import password
from auth.sign_in import common_passwords, users

SHORTEST, LONGEST = 12, 256
# RFC 9106 §4, second recommended option: 3 passes over 64 MiB in 4 lanes.
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Of a password that nobody has; made once, when it is first needed.
_NOBODY: list[str] = []
_AT_ONCE, _WAITING = 2, 10
_LONGEST_WAIT = 5.0  # seconds
_HASHING = threading.BoundedSemaphore(_AT_ONCE)
_ROOM = threading.BoundedSemaphore(_AT_ONCE + _WAITING)


class Busy(Exception):
    """Too many passwords are being checked; nothing was judged."""


def fault(text: str, *, login: str, name: str = "") -> str | None:
    """Say why a password can't be taken; None where it can."""
    plain = _plain(text)
    if len(plain) < SHORTEST:
        return f"Enter a password of {SHORTEST} characters or more. Three random words are good."
    if len(plain) > LONGEST:
        return f"Enter a password of at most {LONGEST} characters."
    folded = users.folded(plain)
    if folded in (users.folded(login), users.folded(name)):
        return "Enter a password that is not your name or sign-in name."
    if common_passwords.is_common(folded):
        return "Enter another password. Many people use this one, so it is tried first."
    return None


def hash_of(text: str) -> str:
    """Return what is kept of a password; takes long, so never in a transaction. Raises Busy."""
    with _turn():
        return _HASHER.hash(_plain(text))


def set_hash(connection: Connection, user_id: str, made: str, now: int) -> None:
    """Keep the hash of a password in place of the one before; the caller ends what was open."""
    connection.execute(delete(password).where(password.c.user_id == user_id))
    connection.execute(insert(password).values(user_id=user_id, hash=made, changed=now))


def remove_password(connection: Connection, user_id: str) -> None:
    """Forget a user's password."""
    connection.execute(delete(password).where(password.c.user_id == user_id))


def stored(connection: Connection, user_id: str) -> str | None:
    """Return the hash that is kept of a user's password."""
    return connection.execute(
        select(password.c.hash).where(password.c.user_id == user_id)
    ).scalar_one_or_none()


def is_right(kept: str | None, text: str) -> bool:
    """Tell whether a password is the one whose hash was kept; as slow where there is none.

    Raises Busy.
    """
    with _turn():
        if kept is None:
            _verify(_nobody(), text)
            return False
        return _verify(kept, text)


def is_outdated(kept: str) -> bool:
    """Tell whether a hash was made by other parameters than new ones are."""
    return _HASHER.check_needs_rehash(kept)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a turn to hash, but not for long and not with many."""
    if not _ROOM.acquire(blocking=False):
        raise Busy
    try:
        if not _HASHING.acquire(timeout=_LONGEST_WAIT):
            raise Busy
        try:
            yield
        finally:
            _HASHING.release()
    finally:
        _ROOM.release()


def _verify(kept: str, text: str) -> bool:
    try:
        return _HASHER.verify(kept, _plain(text)[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False


def _nobody() -> str:
    if not _NOBODY:
        _NOBODY.append(_HASHER.hash("nobody has this password"))
    return _NOBODY[0]


def _plain(text: str) -> str:
    """Return a password in one spelling: keyboards differ in how they compose characters."""
    return unicodedata.normalize("NFKC", text)
