"""A client proves who it is by a signed JWT: private_key_jwt (RFC 7523 §3).

SMART App Launch 2.2, *Client Authentication: Asymmetric*. RS384, ES384 and RS256; the client's one
key with that kid; for this server alone; good for five minutes at most, and once.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auth.apps import clients
from auth.apps.client_keys import ClientKeys, NoKey
from auth.apps.clients import Client
from auth.jose import jwts
from auth.jose.jwts import InvalidJwt, Unverified

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS384", "ES384", "RS256")
_LONGEST = 300
_SKEW = 60


def verify(surroundings: "Surroundings", keys: ClientKeys, assertion: str) -> Client:
    """Return the client that an assertion proves, and use it up. Raises InvalidJwt."""
    jwt = jwts.read(assertion)
    algorithm, kid = _check_header(jwt.header)
    client = _client(surroundings, jwt)
    if "jku" in jwt.header and jwt.header["jku"] != client.jwks_uri:
        raise InvalidJwt("jku is not the address registered for the client's keys.")
    now = surroundings.clock()
    try:
        key = keys.find(client, kid, algorithm, now=now)
    except NoKey as fault:
        raise InvalidJwt(str(fault)) from None
    jwts.verify(jwt, key, (algorithm,))
    check_claims(jwt.claims, (f"{surroundings.root}/auth/token", surroundings.base), now / 1000)
    expires = now + (_LONGEST + 2 * _SKEW) * 1000
    jti = jwts.text(jwt.claims, "jti")
    if not surroundings.store.write(
        lambda connection: jwts.use_once(connection, client.id, jti, expires=expires)
    ):
        raise InvalidJwt("jti was used before: make an assertion for each request.")
    return client


def _check_header(header: Mapping[str, Any]) -> tuple[str, str]:
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise InvalidJwt(f"alg must be one of {', '.join(ALGORITHMS)}.")
    if str(header.get("typ", "")).upper() != "JWT":
        raise InvalidJwt("typ must be JWT.")
    return algorithm, jwts.text(header, "kid", 128)


def _client(surroundings: "Surroundings", jwt: Unverified) -> Client:
    name = jwts.text(jwt.claims, "sub", 128)
    if jwt.claims.get("iss") != name:
        raise InvalidJwt("iss and sub must both be the client's id.")
    with surroundings.store.read() as connection:
        client = clients.find_active(connection, name)
    if client is None or client.auth_method != "private_key_jwt":
        raise InvalidJwt("The client is unknown, or proves who it is in another way.")
    return client


def check_claims(claims: Mapping[str, Any], audiences: tuple[str, ...], now: float) -> None:
    """Raise InvalidJwt where claims are not for this server, or not of this time (in seconds)."""
    # One text, never a list: what is meant for others too may have come from others.
    if claims.get("aud") not in audiences or not isinstance(claims.get("aud"), str):
        raise InvalidJwt("aud must be the address of the token endpoint, as one text.")
    expires = jwts.number(claims, "exp")
    if expires is None or expires <= now - _SKEW:
        raise InvalidJwt("exp is missing or past.")
    if expires > now + _LONGEST + _SKEW:
        raise InvalidJwt(f"exp is more than {_LONGEST} seconds ahead.")
    for name in ("iat", "nbf"):
        begins = jwts.number(claims, name)
        if begins is not None and begins > now + _SKEW:
            raise InvalidJwt(f"{name} is in the future.")
