"""Tokens that are bound to a key: proofs that the sender holds it (RFC 9449).

A proof counts once, for one method and address, and for a nonce of ours that is minutes old at
most. That it came is written down only when what it came with is known to be somebody's: a token,
a code, a client that proved itself. Strangers can make proofs without end. What a token is bound
to is the thumbprint of the key (`jkt`, RFC 7638).
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from joserfc import jwk
from joserfc.errors import JoseError

from auth.jose import jwts
from auth.jose.jwts import InvalidJwt, Unverified

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

ALGORITHMS = ("ES256", "ES384", "EdDSA", "RS256", "PS256")
_TYPES = {"ES256": "EC", "ES384": "EC", "EdDSA": "OKP", "RS256": "RSA", "PS256": "RSA"}
_CURVES = {"ES256": "P-256", "ES384": "P-384"}
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}
_WINDOW = 150_000  # a nonce is good in the window it was given in and in the next
_SKEW = 60


class InvalidProof(Exception):
    """What is wrong with a proof, for developers."""


class NonceNeeded(InvalidProof):
    """The proof has no nonce of ours, or an old one: `nonce` is to be in the next."""

    def __init__(self, nonce: str) -> None:
        super().__init__("Send the proof again with the nonce of the DPoP-Nonce header.")
        self.nonce = nonce


class OtherKey(InvalidProof):
    """The proof is in order, but of another key than the token is bound to."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that is in order, and may have come before: `jkt` is the thumbprint of its key."""

    jkt: str
    jti: str
    expires: int


def check_proof(
    surroundings: "Surroundings", sent: str, *, method: str, url: str, token: str, bound_to: str
) -> None:
    """Check the DPoP header beside a token that is in force, and use it up.

    `bound_to` is the `jkt` of the token. Raises InvalidProof, OtherKey, NonceNeeded.
    """
    proof = read_proof(surroundings, sent, method=method, url=url, token=token)
    if not hmac.compare_digest(proof.jkt, bound_to):
        raise OtherKey("The token is bound to another key than the proof.")
    use_up(surroundings, proof)


def read_proof(
    surroundings: "Surroundings", sent: str, *, method: str, url: str, token: str | None = None
) -> Proof:
    """Check a DPoP header in all but whether it was used before; writes nothing.

    `url` is the address as this server knows itself, never from a header. Raises InvalidProof,
    NonceNeeded.
    """
    try:
        jwt = jwts.read(sent)
        key = _key(jwt)
        jwts.verify(jwt, key, ALGORITHMS)
        _check_claims(surroundings, jwt, method, url, token)
        jti = jwts.text(jwt.claims, "jti")
    except InvalidJwt as fault:
        raise InvalidProof(f"The DPoP proof is refused. {fault}") from None
    now = surroundings.clock()
    if jwt.claims.get("nonce") not in (nonce(surroundings), _nonce(surroundings, now - _WINDOW)):
        raise NonceNeeded(nonce(surroundings))
    return Proof(key.thumbprint(), jti, now + 2 * _WINDOW)


def use_up(surroundings: "Surroundings", proof: Proof) -> None:
    """Take a proof, once. Raises InvalidProof where it was used before."""
    issuer = f"dpop:{proof.jkt}"
    if not surroundings.store.write(
        lambda connection: jwts.use_once(connection, issuer, proof.jti, expires=proof.expires)
    ):
        raise InvalidProof("The DPoP proof is refused. It was used before: make one a request.")


def nonce(surroundings: "Surroundings") -> str:
    """Return the nonce for proofs of this moment; every process has the same."""
    return _nonce(surroundings, surroundings.clock())


def _nonce(surroundings: "Surroundings", at: int) -> str:
    window = str(at // _WINDOW).encode()
    mac = hmac.digest(surroundings.safe.signing_key("dpop nonce"), window, sha256)
    return urlsafe_b64encode(mac[:18]).decode()


def _key(jwt: Unverified) -> jwk.Key:
    algorithm, given = jwt.header.get("alg"), jwt.header.get("jwk")
    if jwt.header.get("typ") != "dpop+jwt" or algorithm not in ALGORITHMS:
        raise InvalidJwt(f"typ must be dpop+jwt, alg one of {', '.join(ALGORITHMS)}.")
    if not isinstance(given, dict) or _PRIVATE & given.keys():
        raise InvalidJwt("jwk must be the public key.")
    if given.get("kty") != _TYPES[algorithm] or given.get("crv") != _CURVES.get(
        algorithm, given.get("crv")
    ):
        raise InvalidJwt("jwk must be a key for alg.")
    try:
        return jwk.import_key(given)
    except (JoseError, ValueError, TypeError, KeyError):
        raise InvalidJwt("jwk can't be read.") from None


def _check_claims(
    surroundings: "Surroundings", jwt: Unverified, method: str, url: str, token: str | None
) -> None:
    claims, now = jwt.claims, surroundings.clock() / 1000
    if claims.get("htm") != method:
        raise InvalidJwt("htm must be the method of the request.")
    if _bare(jwts.text(claims, "htu", 8192)) != _bare(url):
        raise InvalidJwt("htu must be the address of the request, without its query.")
    issued = jwts.number(claims, "iat")
    if issued is None or not now - 2 * _WINDOW / 1000 <= issued <= now + _SKEW:
        raise InvalidJwt("iat must be now.")
    if token is not None:
        digest = urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()
        if claims.get("ath") != digest:
            raise InvalidJwt("ath must be the hash of the access token.")


def _bare(url: str) -> str:
    """Return an address in the form that RFC 9449 §4.3 compares."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidJwt("htu is no address.") from None
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    host = (parts.hostname or "").lower()
    at = f"[{host}]" if ":" in host else host
    where = at if port in (None, usual) else f"{at}:{port}"
    return urlunsplit((parts.scheme.lower(), where, parts.path or "/", "", ""))
