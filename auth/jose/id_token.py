"""id_tokens: who signed in, signed for one client (OpenID Connect Core §2, SMART App Launch 2.2).

`sub` is a keyed hash of the user: the same for ever, and tells nobody who it is. `fhirUser` is the
absolute address of the person in the record.
"""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Protocol

from joserfc import jwt
from joserfc.errors import JoseError

from auth.jose import keys
from auth.scopes import Scopes
from auth.surroundings import Surroundings

LIFETIME = 10 * 60 * 1000  # it tells of a sign-in and opens nothing: minutes are enough
_LONGEST_TOKEN = 8192


class SignedIn(Protocol):
    """What is asked of a user."""

    @property
    def id(self) -> str:
        """Return the id of the account."""

    @property
    def name(self) -> str:
        """Return the name to show."""

    @property
    def fhir_user(self) -> str:
        """Return the person in the record, as `Practitioner/1`."""


def sign(
    surroundings: Surroundings,
    client_id: str,
    user: SignedIn,
    scopes: Scopes,
    facts: Mapping[str, Any],
    *,
    now: int,
    algorithm: str = "RS256",
) -> str:
    """Return the id_token of one sign-in.

    `facts` are those of the authorization: nonce, auth_time (milliseconds), amr (words) and acr,
    each where there is one.
    """
    key = keys.signer(surroundings.store, surroundings.safe, algorithm, now=now)
    claims = {
        "iss": surroundings.base,
        "aud": client_id,
        "iat": now // 1000,
        "exp": (now + LIFETIME) // 1000,
        **user_claims(surroundings, user, scopes),
        **_of_sign_in(facts),
    }
    header = {"alg": algorithm, "kid": str(key.kid), "typ": "JWT"}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def user_claims(surroundings: Surroundings, user: SignedIn, scopes: Scopes) -> dict[str, str]:
    """Return what the scopes granted let a client know of the user."""
    claims = {"sub": subject(surroundings, user.id)}
    if scopes.has("fhirUser", "profile"):
        claims["fhirUser"] = f"{surroundings.base}/{user.fhir_user}"
    if scopes.has("profile"):
        claims["name"] = user.name
    return claims


def subject(surroundings: Surroundings, user_id: str) -> str:
    """Return the `sub` of a user."""
    key = surroundings.safe.signing_key("subject")
    digest = hmac.digest(key, user_id.encode(), sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def of_ours(surroundings: Surroundings, token: str) -> Mapping[str, Any] | None:
    """Return the claims of an id_token that this server signed, ended or not; None for any other.

    Good for a hint only (`id_token_hint`): it says who signed in once, not who asks now.
    """
    if len(token) > _LONGEST_TOKEN:
        return None
    try:
        known = keys.every_key(surroundings.store)
        read = jwt.decode(token, known, algorithms=list(keys.ALGORITHMS))
    except (JoseError, ValueError):
        return None
    claims: Mapping[str, Any] = read.claims
    is_whole = isinstance(claims.get("aud"), str) and isinstance(claims.get("sub"), str)
    return claims if is_whole and claims.get("iss") == surroundings.base else None


def _of_sign_in(facts: Mapping[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    if facts.get("nonce"):
        claims["nonce"] = facts["nonce"]
    if facts.get("auth_time"):
        claims["auth_time"] = int(facts["auth_time"]) // 1000
    if facts.get("amr"):
        claims["amr"] = list(facts["amr"])
    if facts.get("acr"):
        claims["acr"] = facts["acr"]
    return claims
