"""JWTs that clients send: taken apart, and their signature checked (RFC 7515, RFC 7519).

A header never chooses the key by itself, nor an algorithm that the caller has not listed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from joserfc import jwk, jws
from joserfc.errors import JoseError
from sqlalchemy import Connection

from auth.models import used_jti
from auth.models.inserting import insert_new
from auth.tokens import hash_of

_LONGEST = 16_384


class _Registry(jws.JWSRegistry):
    max_header_length = 4096  # a key in it, of DPoP


@cache
def _registry(algorithms: tuple[str, ...]) -> jws.JWSRegistry:
    return _Registry(algorithms=list(algorithms), strict_check_header=False)


class InvalidJwt(Exception):
    """What is wrong with a JWT, for developers; holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """A JWT as it was sent, before its signature is checked."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def read(text: str) -> Unverified:
    """Take a JWT apart. Raises InvalidJwt."""
    if len(text) > _LONGEST or not text.isascii():
        raise InvalidJwt("It is no JWT, or longer than this server reads.")
    try:
        found = jws.extract_compact(text.encode(), registry=_registry(()))
        header, claims = found.headers(), json.loads(found.payload or b"")
    except (JoseError, ValueError, RecursionError):
        raise InvalidJwt("It is no JWT.") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise InvalidJwt("It is no JWT.")
    return Unverified(text, header, claims)


def verify(jwt: Unverified, key: jwk.Key, algorithms: Sequence[str]) -> None:
    """Check the signature by one key. Raises InvalidJwt."""
    try:
        jws.deserialize_compact(jwt.text, key, registry=_registry(tuple(algorithms)))
    except (JoseError, ValueError, TypeError):
        raise InvalidJwt("Its signature is not by the key that it names.") from None


def number(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a claim that is a time in seconds; None where it is missing. Raises InvalidJwt."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e11:
        raise InvalidJwt(f"{name} must be a number of seconds.")
    return value


def text(claims: Mapping[str, Any], name: str, most: int = 512) -> str:
    """Return a claim that must be a text. Raises InvalidJwt."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise InvalidJwt(f"{name} must be a text of 1 to {most} characters.")
    return value


def use_once(connection: Connection, issuer: str, jti: str, *, expires: int) -> bool:
    """Remember a jti of an issuer until it expires; tell whether it is new."""
    return insert_new(connection, used_jti, issuer=issuer, jti=hash_of(jti), expires=expires)
