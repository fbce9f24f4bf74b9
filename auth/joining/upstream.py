"""Sign-in through another OpenID provider: NHS login, CIS2 and their like.

OpenID Connect Core 1.0 §3.1 (code flow), RFC 7636 (S256), RFC 7523 (`private_key_jwt`), RFC 9207,
RFC 8485 (vectors of trust). Nothing that comes back is believed but under the provider's signature,
for this issuer, audience, nonce, level and browser, and once (T34). People are known by issuer and
subject, never by e-mail.
"""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Row, delete, insert, select, update

from auth.joining import provider_calls, upstream_claims
from auth.joining.provider_calls import SignInFailed
from auth.joining.upstream_providers import Provider
from auth.models import upstream_state
from auth.surroundings import Surroundings
from auth.tokens import hash_of

_UNDER_WAY = 10 * 60_000
_KEPT = 86_400_000


@dataclass(frozen=True, slots=True)
class Verified:
    """Who somebody is at a provider, and how sure it is of that."""

    provider: Provider
    subject: str
    level: str
    claims: Mapping[str, Any]
    return_to: str
    links: str | None = None  # user whom the identity is to be linked to
    invitation: str | None = None

    @property
    def is_full(self) -> bool:
        """Tell whether the provider is as sure as it can be."""
        return self.level in self.provider.full


def providers(surroundings: Surroundings) -> Sequence[Provider]:
    """Return the providers that an operator has named."""
    named: Sequence[Provider] = surroundings.options.get("upstream", ())
    return named


def begin(
    surroundings: Surroundings,
    provider: Provider,
    browser: str,
    *,
    return_to: str,
    links: str | None = None,
    invitation: str | None = None,
) -> str:
    """Note who leaves, and return the provider's address for the browser to go to.

    `browser` is a secret of this browser's cookie: who comes back must have it. Raises
    SignInFailed.
    """
    about = provider_calls.discovered(provider)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    values = {
        "state_hash": hash_of(state),
        "provider": provider.id,
        "nonce": nonce,
        "verifier": verifier,
        "browser": hash_of(browser),
        "return_to": return_to,
        "links": links,
        "invitation": invitation,
        "expires": surroundings.clock() + _UNDER_WAY,
        "used": None,
    }
    surroundings.store.write(lambda connection: _keep(connection, values))
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(surroundings, provider),
        "scope": provider.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    if provider.vtr:
        asked["vtr"] = json.dumps(list(provider.vtr))
    if provider.acr:
        asked["acr_values"] = " ".join(provider.acr)
    return f"{about['authorization_endpoint']}?{urlencode(asked)}"


def finish(
    surroundings: Surroundings, provider: Provider, browser: str, answer: Mapping[str, str]
) -> Verified:
    """Return who came back from a provider. Raises SignInFailed."""
    held = _taken(surroundings, provider, browser, answer.get("state", ""))
    if held is None:
        raise SignInFailed("This sign-in was begun in another browser, too long ago, or is over.")
    if answer.get("iss", provider.issuer) != provider.issuer:
        raise SignInFailed(f"The answer is not from {provider.name}.")
    if answer.get("error") or not answer.get("code"):
        raise SignInFailed(f"{provider.name} did not sign you in.")
    about = provider_calls.discovered(provider)
    now = surroundings.clock() // 1000
    tokens = provider_calls.exchanged(
        provider,
        about,
        code=answer["code"],
        verifier=held.verifier,
        redirect_uri=redirect_uri(surroundings, provider),
        now=now,
    )
    published = provider_calls.keys(provider, about)
    claims = upstream_claims.checked(provider, published, tokens["id_token"], held.nonce, now)
    if claims is None:
        raise provider_calls.unreliable(provider)
    return Verified(
        provider,
        str(claims["sub"]),
        _level(provider, claims),
        {**provider_calls.further(provider, about, tokens, str(claims["sub"])), **claims},
        held.return_to,
        held.links,
        held.invitation,
    )


def redirect_uri(surroundings: Surroundings, provider: Provider) -> str:
    """Return the address that is registered at a provider, where people come back."""
    return f"{surroundings.root}/auth/sign-in/from/{provider.id}"


def _keep(connection: Connection, values: Mapping[str, Any]) -> None:
    over = upstream_state.c.expires < values["expires"] - _KEPT
    connection.execute(delete(upstream_state).where(over))
    connection.execute(insert(upstream_state).values(values))


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _taken(
    surroundings: Surroundings, provider: Provider, browser: str, state: str
) -> Row[Any] | None:
    """Return what was noted when this browser left; once only."""
    here, now = upstream_state.c, surroundings.clock()
    left = (
        (here.state_hash == hash_of(state))
        & (here.provider == provider.id)
        & (here.browser == hash_of(browser))
        & (here.expires > now)
    )

    def work(connection: Connection) -> Row[Any] | None:
        first = connection.execute(
            update(upstream_state).where(left, here.used.is_(None)).values(used=now)
        )
        if first.rowcount != 1:
            return None
        return connection.execute(select(upstream_state).where(left)).one()

    return surroundings.store.write(work)


def _level(provider: Provider, claims: Mapping[str, Any]) -> str:
    """Return the level that a provider vouches for, which must be one that is enough here."""
    level = str(claims.get("vot") or claims.get("acr") or "")
    if provider.levels and level not in provider.levels:
        raise SignInFailed(
            f"{provider.name} is not sure enough of who you are. Prove your identity there first."
        )
    return level
