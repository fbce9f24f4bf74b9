"""Opaque bearer tokens: made, found, listed and revoked. The only place that knows their form.

A token is `secr_` and 256 random bits (RFC 6750 §5.3). Only its sha256 is stored: with that much
entropy a plain hash can't be searched. A token's id is the head of that hash, so it can be named in
lists and in `revoke` without being a secret.

A row never changes but by being revoked. So `TokenCache` keeps what a token stands for, and each
request asks one thing of the database: whether it is still in force. The next request on any worker
sees a revocation.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, update

from auth import scopes
from auth.models import access_token
from auth.principal import KINDS, Called, Principal

PREFIX = "secr_"
ACCESS_LIFE = 3600_000  # of those that applications get
_ID_LENGTH = 16
_CACHE_LIMIT = 10_000
_TOKEN_LENGTH = len(PREFIX) + 43

_BY_HASH = select(access_token).where(access_token.c.token_hash == bindparam("hash"))
_REVOKED = select(access_token.c.revoked).where(access_token.c.token_hash == bindparam("hash"))


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
    client: str | None = None


@dataclass(frozen=True, slots=True)
class InForce:
    """What is asked of a token at each request: the version of the person it stands for, 0 where
    the record has none, and who that is to resources, if that was asked as well."""

    version: int
    called: Called | None = None


AskInForce = Callable[[Connection, str, Principal], InForce | None]


@dataclass(frozen=True, slots=True)
class Found:
    """What a token stands for. `jkt` is the thumbprint of the key it is bound to (RFC 9449)."""

    principal: Principal
    expires: int | None
    jkt: str | None = None
    audience: str | None = None
    grant: str | None = None
    context: Mapping[str, Any] | None = None
    created: int = 0


def create(
    connection: Connection,
    *,
    kind: str,
    name: str,
    now: int,
    organisation: str | None = None,
    expires: int | None = None,
    **granted: str | None,
) -> str:
    """Store a new token and return it; it can't be shown again.

    `granted`, of tokens that a client was given: grant_id, client_id, user_id, scope, context
    (JSON, see `models/grants.py`), jkt, audience.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of principal; choose from {', '.join(KINDS)}")
    token = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(access_token).values(
            token_hash=hash_of(token),
            kind=kind,
            name=name,
            organisation=organisation,
            created=now,
            expires=expires,
            revoked=None,
            **granted,
        )
    )
    return token


def find(connection: Connection, token: str, *, now: int) -> Found | None:
    """Return what a token stands for that is known, not expired and not revoked."""
    if not is_token(token):
        return None
    row = connection.execute(_BY_HASH, {"hash": hash_of(token)}).one_or_none()
    if row is None or row.revoked is not None:
        return None
    if row.expires is not None and row.expires <= now:
        return None
    return _found(row)


def known(connection: Connection, token: str) -> Found | None:
    """Return what a token stands or stood for, whether or not it is still in force."""
    if not is_token(token):
        return None
    row = connection.execute(_BY_HASH, {"hash": hash_of(token)}).one_or_none()
    return None if row is None else _found(row)


def revoke(connection: Connection, token_or_id: str, *, now: int) -> bool:
    """Revoke a token by itself or by its id; return whether one was in force."""
    whole = token_or_id.startswith(PREFIX)
    if not whole and len(token_or_id) != _ID_LENGTH:
        return False
    column = access_token.c.token_hash
    named = (
        column == hash_of(token_or_id) if whole else column.startswith(token_or_id, autoescape=True)
    )
    return revoke_where(connection, named, now=now) > 0


def revoke_where(connection: Connection, condition: ColumnElement[bool], *, now: int) -> int:
    """Revoke the tokens in force that meet a condition on `access_token`; return how many."""
    done = connection.execute(
        update(access_token).where(condition, access_token.c.revoked.is_(None)).values(revoked=now)
    )
    return done.rowcount


def issued(connection: Connection) -> list[IssuedToken]:
    """List every token that is kept, oldest first."""
    rows: Sequence[Any] = connection.execute(
        select(access_token).order_by(access_token.c.created, access_token.c.token_hash)
    ).all()
    return [
        IssuedToken(
            row.token_hash[:_ID_LENGTH],
            row.kind,
            row.name,
            row.organisation,
            row.created,
            row.expires,
            row.revoked,
            row.client_id,
        )
        for row in rows
    ]


def id_of(token: str) -> str:
    """Return the id by which a token is named, which is no secret."""
    return hash_of(token)[:_ID_LENGTH]


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a token of ours."""
    return text.startswith(PREFIX) and len(text) == _TOKEN_LENGTH


def hash_of(token: str) -> str:
    """Return what is stored of a token, a code or any other secret of 256 random bits."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


class TokenCache:
    """What tokens stand for, so that only whether they are in force is asked at each request.

    `in_force` asks that, of a token's hash and whom it stands for: it returns None for a token that
    was revoked. Whoever gives the cache may know a faster way, and more.
    """

    def __init__(self, in_force: AskInForce | None = None) -> None:
        self._found: dict[str, Found] = {}
        self._in_force = in_force or _in_force

    def find(self, connection: Connection, token: str, *, now: int) -> Found | None:
        """Return what a token stands for, as `find` does."""
        looked = self.look(connection, token, now=now)
        return None if looked is None else looked[0]

    def look(
        self,
        connection: Connection,
        token: str,
        *,
        now: int,
        in_force: AskInForce | None = None,
    ) -> tuple[Found, InForce] | None:
        """Return what a token stands for, and what was asked of it, maybe in another way."""
        if not is_token(token):
            return None
        key = hash_of(token)
        known = self._found.get(key)
        if known is None:
            known = self._learn(connection, token, key, now)
            if known is None:
                return None
            if known.principal.person is None:
                return known, InForce(0)  # it was looked at just now
        ended = known.expires is not None and known.expires <= now
        ask = in_force or self._in_force
        found = None if ended else ask(connection, key, known.principal)
        if found is None:
            self._found.pop(key, None)
            return None
        return known, found

    def _learn(self, connection: Connection, token: str, key: str, now: int) -> Found | None:
        found = find(connection, token, now=now)
        if found is not None:
            if len(self._found) >= _CACHE_LIMIT:
                self._found.clear()
            self._found[key] = found
        return found


def _in_force(connection: Connection, hash: str, _principal: Principal) -> InForce | None:
    row = connection.execute(_REVOKED, {"hash": hash}).one_or_none()
    return InForce(0) if row is not None and row.revoked is None else None


def _found(row: Row[Any]) -> Found:
    context: dict[str, Any] = json.loads(row.context) if row.context else {}
    id = row.token_hash[:_ID_LENGTH]
    principal = Principal(
        id=context.get("author") or id,
        kind=row.kind,
        name=row.name,
        organisation=row.organisation,
        scopes=None if row.scope is None else scopes.parse(row.scope),
        person=context.get("person"),
        patient=context.get("launch", {}).get("patient"),
        patients=tuple(context.get("patients", ())),
        client=row.client_id,
        role=context.get("role"),
        purpose=context.get("purpose"),
        token=id,
        signed_in=context.get("signed_in"),
    )
    return Found(principal, row.expires, row.jkt, row.audience, row.grant_id, context, row.created)
