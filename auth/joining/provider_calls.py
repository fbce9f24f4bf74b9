"""What is asked of another OpenID provider behind the browser: metadata, tokens, userinfo.

OpenID Connect Discovery §4, Core §3.1.3 and §5.3, RFC 7523 (`private_key_jwt`). Each address that a
provider names is https, or an operator has named its origin.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from joserfc import jwt

from auth.joining.upstream_providers import Provider
from auth.jose.safe_fetch import FetchRefused, fetch_json, post_form

_ASSERTION_LIFE = 120  # seconds
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1


class SignInFailed(Exception):
    """Why somebody could not sign in elsewhere: what a page may say."""


def discovered(provider: Provider) -> Mapping[str, Any]:
    """Return the provider's metadata, which must be of its own issuer (OIDC Discovery §4.3)."""
    url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    about: Mapping[str, Any] = _fetched(provider, url)
    if about.get("issuer") != provider.issuer:
        raise SignInFailed(f"{provider.name} can't be reached. Try again later.")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(about.get(name), str) or not _is_safe(provider, about[name]):
            raise SignInFailed(f"{provider.name} can't be reached. Try again later.")
    return about


def keys(provider: Provider, about: Mapping[str, Any]) -> Any:
    """Return the keys that a provider publishes. Raises SignInFailed."""
    return _fetched(provider, about["jwks_uri"])


def exchanged(
    provider: Provider,
    about: Mapping[str, Any],
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    now: int,
) -> Mapping[str, Any]:
    """Return the tokens that a code stands for, an id_token among them. Raises SignInFailed."""
    assertion = jwt.encode(
        {"alg": provider.algorithm, "kid": provider.key.kid, "typ": "JWT"},
        {
            "iss": provider.client_id,
            "sub": provider.client_id,
            "aud": about["token_endpoint"],
            "jti": secrets.token_urlsafe(32),
            "iat": now,
            "exp": now + _ASSERTION_LIFE,
        },
        provider.key,
        algorithms=[provider.algorithm],
    )
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
        "client_id": provider.client_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    tokens: Mapping[str, Any] = _fetched(provider, about["token_endpoint"], form)
    if not isinstance(tokens.get("id_token"), str):
        raise SignInFailed(f"{provider.name} did not say who you are.")
    return tokens


def further(
    provider: Provider, about: Mapping[str, Any], tokens: Mapping[str, Any], subject: str
) -> Mapping[str, Any]:
    """Return what the provider tells beside the id_token: CIS2 has the roles of staff there.

    It must be of the same subject (OIDC Core §5.3.2). What the id_token says goes before it, and
    how sure the provider is counts from there alone.
    """
    url, token = about.get("userinfo_endpoint"), tokens.get("access_token")
    if not isinstance(url, str) or not isinstance(token, str):
        return {}
    if not _is_safe(provider, url) or not _BEARER.fullmatch(token):
        raise unreliable(provider)
    told: Mapping[str, Any] = _fetched(provider, url, token=token)
    if told.get("sub") != subject:
        raise unreliable(provider)
    return told


def unreliable(provider: Provider) -> SignInFailed:
    """Return the refusal of what a provider said."""
    return SignInFailed(f"What {provider.name} said can't be relied on. Nobody was signed in.")


def _fetched(
    provider: Provider, url: str, form: Mapping[str, str] | None = None, token: str | None = None
) -> Any:
    try:
        if form is None:
            document = fetch_json(url, allowed=provider.private, token=token).document
        else:
            document = post_form(url, form, allowed=provider.private).document
    except FetchRefused:
        raise SignInFailed(f"{provider.name} can't be reached. Try again later.") from None
    if not isinstance(document, dict):
        raise SignInFailed(f"{provider.name} can't be reached. Try again later.")
    return document


def _is_safe(provider: Provider, url: str) -> bool:
    return url.startswith(("https://", *(f"{origin}/" for origin in provider.private)))
