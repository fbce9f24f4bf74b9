"""The keys that sign id_tokens (JWK, RFC 7517): made on first use, changed by `ehr keys rotate`.

A key that was changed signs no more at once, and is served until the last token it may have signed
has ended. Private parts are sealed in the database, so every process signs with the same key.
"""

import json
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlalchemy import Connection, Row, insert, select, text, update

from auth.models import signing_key
from auth.surroundings import Safe, Store

ALGORITHMS = ("RS256", "ES384")  # OpenID Connect requires the first
# What is signed is good for so long, and may come from a process whose clock is a little behind.
LONGEST = 60 * 60 * 1000
_SKEW = 5 * 60 * 1000
_LOCK = 0x5EC4E8  # of PostgreSQL; SQLite has one writer anyway

Key = RSAKey | ECKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key as lists show it: everything but its private part. Times are milliseconds."""

    kid: str
    algorithm: str
    created: int
    retired: int | None
    ends: int | None


def signer(store: Store, safe: Safe, algorithm: str, *, now: int) -> Key:
    """Return the key that signs by an algorithm at present; the first time, make it."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"{algorithm} signs nothing here; choose from {', '.join(ALGORITHMS)}")
    with store.read() as connection:
        row = _current(connection, algorithm)
    if row is None:
        made = _made(algorithm)  # takes too long to let other writers wait for it
        row = store.write(lambda connection: _first(connection, safe, algorithm, made, now))
    return _loaded(algorithm, safe.unseal(bytes(row.private)))


def rotate(store: Store, safe: Safe, *, now: int) -> list[SigningKey]:
    """Change each key that signs, or make the first one; return the new ones."""
    with store.read() as connection:
        used = {row.algorithm for row in _rows(connection) if row.retired is None}
    made = {algorithm: _made(algorithm) for algorithm in used or ALGORITHMS[:1]}

    def change(connection: Connection) -> list[SigningKey]:
        _lock(connection)
        for algorithm in made:
            _retire(connection, algorithm, now)
        return [_key_of(_added(connection, safe, *one, now)) for one in made.items()]

    return store.write(change)


def public_keys(store: Store, *, now: int) -> list[dict[str, Any]]:
    """Return the public keys that check what is in force, newest first."""
    with store.read() as connection:
        rows = _rows(connection)
    return [json.loads(row.public) for row in rows if row.ends is None or row.ends > now]


def every_key(store: Store) -> KeySet:
    """Return all public keys there ever were, to know a token of ours that has ended."""
    with store.read() as connection:
        return KeySet.import_key_set({"keys": [json.loads(r.public) for r in _rows(connection)]})


def listed(connection: Connection) -> list[SigningKey]:
    """List every key, newest first."""
    return [_key_of(row) for row in _rows(connection)]


def _first(connection: Connection, safe: Safe, algorithm: str, made: Key, now: int) -> Row[Any]:
    """Add the first key, unless another process was faster."""
    _lock(connection)
    return _current(connection, algorithm) or _added(connection, safe, algorithm, made, now)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def _retire(connection: Connection, algorithm: str, now: int) -> None:
    connection.execute(
        update(signing_key)
        .where(signing_key.c.algorithm == algorithm, signing_key.c.retired.is_(None))
        .values(retired=now, ends=now + LONGEST + _SKEW)
    )


def _added(connection: Connection, safe: Safe, algorithm: str, made: Key, now: int) -> Row[Any]:
    kid = str(made.kid)
    connection.execute(
        insert(signing_key).values(
            kid=kid,
            algorithm=algorithm,
            private=safe.seal(json.dumps(made.as_dict(private=True)).encode()),
            public=json.dumps(made.as_dict(private=False)),
            created=now,
        )
    )
    return connection.execute(select(signing_key).where(signing_key.c.kid == kid)).one()


def _made(algorithm: str) -> Key:
    named = {"kid": secrets.token_urlsafe(12), "use": "sig", "alg": algorithm}
    if algorithm == "RS256":
        return RSAKey.generate_key(2048, named)  # type: ignore[arg-type]  # a dict of text
    return ECKey.generate_key("P-384", named)  # type: ignore[arg-type]  # a dict of text


@lru_cache(maxsize=8)
def _loaded(algorithm: str, private: bytes) -> Key:
    described = json.loads(private)
    return RSAKey.import_key(described) if algorithm == "RS256" else ECKey.import_key(described)


def _current(connection: Connection, algorithm: str) -> Row[Any] | None:
    return connection.execute(
        select(signing_key)
        .where(signing_key.c.algorithm == algorithm, signing_key.c.retired.is_(None))
        .order_by(signing_key.c.created.desc(), signing_key.c.kid)
        .limit(1)
    ).one_or_none()


def _rows(connection: Connection) -> list[Row[Any]]:
    newest = signing_key.c.created.desc(), signing_key.c.kid
    return list(connection.execute(select(signing_key).order_by(*newest)))


def _key_of(row: Row[Any]) -> SigningKey:
    return SigningKey(row.kid, row.algorithm, row.created, row.retired, row.ends)
