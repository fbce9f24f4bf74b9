"""The key ring: secrets that must be the same in every worker and survive a move of the database.

Purposes: hash (index values), cursor (paging), audit-seal (signatures), audit-id (ids of events)
and others. Each is stored wrapped (RFC 3394) by `EHR_SECRET`.
"""

import secrets
import time
from hashlib import sha256

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)
from sqlalchemy import Connection, insert, select, text

from ehr.store.tables import key_ring

_SIZE = 32
_LOCK = 0x5EC4E7


class WrongSecret(Exception):
    """The database's keys were wrapped by another `EHR_SECRET`."""


def newest(connection: Connection, purpose: str, wrapping: str) -> bytes | None:
    """Return the newest secret of a purpose, unwrapped, or None. Raise WrongSecret."""
    wrapped = connection.execute(
        select(key_ring.c.secret)
        .where(key_ring.c.purpose == purpose)
        .order_by(key_ring.c.created.desc())
        .limit(1)
    ).scalar()
    if wrapped is None:
        return None
    return unwrapped(bytes(wrapped), wrapping)


def every(connection: Connection, purpose: str, wrapping: str) -> tuple[bytes, ...]:
    """Return all secrets of a purpose, the newest first. Raise WrongSecret."""
    found = connection.execute(
        select(key_ring.c.secret)
        .where(key_ring.c.purpose == purpose)
        .order_by(key_ring.c.created.desc())
    ).scalars()
    return tuple(unwrapped(bytes(one), wrapping) for one in found)


def unwrapped(wrapped: bytes, wrapping: str) -> bytes:
    """Return a secret as the key ring has it, unwrapped. Raise WrongSecret."""
    try:
        return aes_key_unwrap(_wrapping_key(wrapping), wrapped)
    except InvalidUnwrap as error:
        raise WrongSecret(
            "This database was made with another EHR_SECRET. Start it with that one."
        ) from error


def ensure(connection: Connection, purpose: str, wrapping: str) -> bytes:
    """Return the newest secret, making the first one; must run in a write transaction."""
    if connection.dialect.name == "postgresql":
        # Two processes that open a new database at once must agree on one key.
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    known = newest(connection, purpose, wrapping)
    if known is not None:
        return known
    secret = secrets.token_bytes(_SIZE)
    connection.execute(
        insert(key_ring).values(
            purpose=purpose,
            created=int(time.time() * 1000),
            secret=aes_key_wrap(_wrapping_key(wrapping), secret),
        )
    )
    return secret


def _wrapping_key(wrapping: str) -> bytes:
    return sha256(b"shared care record key ring\0" + wrapping.encode()).digest()
