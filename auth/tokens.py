"""Opaque bearer tokens: made, found, listed and revoked. The only place that knows their form.

A token is `secr_` and 256 random bits. Only its sha256 is stored: with that much entropy a plain
hash can't be searched. A token's id is the head of that hash, so it can be named in lists, as an
author and in `revoke` without being a secret.

Revocation acts at once in the process that does it and within one second in the others:
`TokenCache` gives a found token again only while it is younger than `TRUSTED_FOR` and no token was
revoked here meanwhile. A token that is not known is looked up each time.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, Row, insert, select, update

from auth.models import access_token
from auth.principal import KINDS, Principal

PREFIX = "secr_"
TRUSTED_FOR = 1_000  # milliseconds
_ID_LENGTH = 16
_CACHE_LIMIT = 10_000
_TOKEN_LENGTH = len(PREFIX) + 43

# A new object with every revocation in this process; caches compare its identity.
_epoch = object()


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as lists show it: everything but the token."""

    id: str
    kind: str
    name: str
    organisation: str | None
    created: int
    expires: int | None
    revoked: int | None


def create(
    connection: Connection,
    *,
    kind: str,
    name: str,
    now: int,
    organisation: str | None = None,
    expires: int | None = None,
) -> str:
    """Store a new token and return it; it can't be shown again."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of principal; choose from {', '.join(KINDS)}")
    token = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(access_token).values(
            token_hash=_hash(token),
            kind=kind,
            name=name,
            organisation=organisation,
            created=now,
            expires=expires,
            revoked=None,
        )
    )
    return token


def find(connection: Connection, token: str, *, now: int) -> Principal | None:
    """Return the principal of a token that is known, not expired and not revoked."""
    found = _find(connection, token, now)
    return None if found is None else _principal(found)


def revoke(connection: Connection, token_or_id: str, *, now: int) -> bool:
    """Revoke a token by itself or by its id; return whether one was in force."""
    global _epoch
    whole = token_or_id.startswith(PREFIX)
    if not whole and len(token_or_id) != _ID_LENGTH:
        return False
    column = access_token.c.token_hash
    named = (
        column == _hash(token_or_id) if whole else column.startswith(token_or_id, autoescape=True)
    )
    done = connection.execute(
        update(access_token).where(named, access_token.c.revoked.is_(None)).values(revoked=now)
    )
    _epoch = object()
    return done.rowcount > 0


def issued(connection: Connection) -> list[IssuedToken]:
    """List every token ever made, oldest first."""
    rows = connection.execute(
        select(access_token).order_by(access_token.c.created, access_token.c.token_hash)
    )
    return [
        IssuedToken(
            row.token_hash[:_ID_LENGTH],
            row.kind,
            row.name,
            row.organisation,
            row.created,
            row.expires,
            row.revoked,
        )
        for row in rows
    ]


class TokenCache:
    """Found tokens, trusted for a second and never across a revocation in this process."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Principal, object, int]] = {}

    def find(
        self, token: str, *, now: int, look_up: Callable[[str, int], "Found | None"]
    ) -> Principal | None:
        """Return the principal of a token, from here while that is safe, else by `look_up`."""
        key = _hash(token)
        kept = self._found.get(key)
        if kept is not None and kept[1] is _epoch and 0 <= kept[2] - now <= TRUSTED_FOR:
            return kept[0]
        # Read before looking up: a revocation in between makes the entry stale, not fresh.
        epoch = _epoch
        found = look_up(token, now)
        if found is None:
            self._found.pop(key, None)
            return None
        if len(self._found) >= _CACHE_LIMIT:
            self._found.clear()
        until = now + TRUSTED_FOR
        if found.expires is not None:
            until = min(until, found.expires - 1)
        self._found[key] = (found.principal, epoch, until)
        return found.principal


@dataclass(frozen=True, slots=True)
class Found:
    """A principal and the time its token ends, as a cache needs them."""

    principal: Principal
    expires: int | None


def look_up(connection: Connection, token: str, now: int) -> Found | None:
    """Return the principal of a token with its end, for a TokenCache."""
    found = _find(connection, token, now)
    return None if found is None else Found(_principal(found), found.expires)


def _find(connection: Connection, token: str, now: int) -> Row[tuple[object, ...]] | None:
    if not token.startswith(PREFIX) or len(token) != _TOKEN_LENGTH:
        return None
    row = connection.execute(
        select(access_token).where(access_token.c.token_hash == _hash(token))
    ).one_or_none()
    if row is None or row.revoked is not None:
        return None
    if row.expires is not None and row.expires <= now:
        return None
    return row


def _principal(row: Row[tuple[object, ...]]) -> Principal:
    return Principal(row.token_hash[:_ID_LENGTH], row.kind, row.name, row.organisation)


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
