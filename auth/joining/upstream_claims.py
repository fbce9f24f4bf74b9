"""What an id_token of another provider says, where it is for us (OIDC Core §3.1.3.7).

Nothing is believed but under the provider's signature, for this issuer, audience and nonce (T34).
"""

import secrets
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from auth.joining.upstream_providers import Provider

_SKEW = 60
# What a provider's id_token may be signed with: no HS*, no none, whatever its header says (T13).
_SIGNED_BY = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512"]


def checked(
    provider: Provider, published: Any, token: str, nonce: str, now: int
) -> Mapping[str, Any] | None:
    """Return the claims of an id_token that is ours, by the keys that the provider publishes.

    None for any other; `now` is in seconds.
    """
    try:
        claims = jwt.decode(token, KeySet.import_key_set(published), algorithms=_SIGNED_BY).claims
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    audience = claims.get("aud")
    several = isinstance(audience, list) and len(audience) > 1
    fits = (
        claims.get("iss") == provider.issuer
        and audience in (provider.client_id, [provider.client_id])
        and not several
        and claims.get("azp", provider.client_id) == provider.client_id
        and isinstance(claims.get("sub"), str)
        and 0 < len(claims["sub"]) <= 255
        and secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())
        and _is_number(claims.get("exp"))
        and claims["exp"] > now - _SKEW
        and _is_number(claims.get("iat"))
        and claims["iat"] < now + _SKEW
    )
    return claims if fits else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
