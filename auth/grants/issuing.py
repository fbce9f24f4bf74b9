"""Tokens of a grant: made, kept as hashes, and written as a token response (RFC 6749 §5.1).

An access token lives for an hour, or until the role, the patient or the person ends that it rests
on. A refresh token for offline use lives for 180 days and each
refresh begins them anew; one for online use ends with the session, and after a day.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, update

from auth import tokens
from auth.grants.held import Held
from auth.jose import id_token
from auth.models import access_grant, refresh_token
from auth.scopes import Scopes
from auth.surroundings import Happening

if TYPE_CHECKING:
    from auth.grants.asking import Asking

ACCESS_LIFE = tokens.ACCESS_LIFE
REFRESH_LIFE = {"offline": 180 * 86_400_000, "online": 86_400_000}
_PREFIX = "secf_"
# Of the launch; nothing else of it is told.
_BESIDE = (
    "patient",
    "encounter",
    "fhirContext",
    "intent",
    "need_patient_banner",
    "smart_style_url",
    "tenant",
)


@dataclass(frozen=True, slots=True)
class Issued:
    """What a client is given. `refresh` is None where the grant has none."""

    access: str
    life: int
    scopes: Scopes
    jkt: str | None = None
    refresh: str | None = None
    launch: Mapping[str, Any] | None = None


def issue(connection: Connection, asking: "Asking", held: Held, granted: Scopes) -> Issued | None:
    """Store the tokens of a grant and return them, which can't be shown again; None if it ended.

    The grant's row is written first: so whoever ends it meanwhile waits, and ends these tokens too.
    """
    client, now = asking.request.client, asking.surroundings.clock()
    refreshes = held.lasting in REFRESH_LIFE and client.check_grant_type("refresh_token")
    life = REFRESH_LIFE[held.lasting] if refreshes else ACCESS_LIFE
    if not _is_used(connection, held.id, now, life):
        return None
    life = min(ACCESS_LIFE, held.until - now, asking.until - now)
    access = tokens.create(
        connection,
        kind=held.user.kind,
        name=held.user.name,
        organisation=held.context.get("organisation"),
        now=now,
        expires=now + life,
        grant_id=held.id,
        client_id=client.id,
        user_id=held.user.id,
        scope=str(granted),
        context=json.dumps(_of_token(held.context)),
        jkt=asking.jkt,
        audience=asking.surroundings.base,
    )
    what = "token-refreshed" if asking.GRANT_TYPE == "refresh_token" else "token-issued"
    told = Happening(
        what,
        held.principal,
        client.id,
        tokens.id_of(access),
        held.launch.get("patient"),
        str(granted),
    )
    asking.surroundings.tell(connection, told)
    refresh = None
    if refreshes:
        # A client with a secret or a key is bound to its tokens by that already.
        refresh = _refresh(connection, held, asking.jkt if client.is_public else None, now)
    return Issued(access, life, granted, asking.jkt, refresh, held.launch)


def _of_token(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a token keeps of its grant: of the sign-in only when it was."""
    kept = {name: value for name, value in context.items() if name != "sign_in"}
    signed_in = context.get("sign_in", {}).get("auth_time")
    return kept if signed_in is None else {**kept, "signed_in": signed_in}


def response(issued: Issued, **more: str) -> dict[str, Any]:
    """Return the body of a token response."""
    body: dict[str, Any] = {
        **beside(issued.launch or {}),
        "access_token": issued.access,
        "token_type": "DPoP" if issued.jkt else "Bearer",
        "expires_in": issued.life // 1000,
        "scope": str(issued.scopes),
        **more,
    }
    if issued.refresh is not None:
        body["refresh_token"] = issued.refresh
    return body


def identity(
    asking: "Asking", held: Held, granted: Scopes, facts: Mapping[str, Any]
) -> dict[str, str]:
    """Return the id_token that belongs into a token response, where `openid` was granted."""
    if not granted.has("openid"):
        return {}
    around = asking.surroundings
    client = asking.request.client.id
    signed = id_token.sign(around, client, held.user, granted, facts, now=around.clock())
    return {"id_token": signed}


def beside(launch: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a launch stands beside its token."""
    return {name: launch[name] for name in _BESIDE if name in launch}


def _is_used(connection: Connection, grant_id: str, now: int, life: int) -> bool:
    done = connection.execute(
        update(access_grant)
        .where(access_grant.c.id == grant_id, access_grant.c.revoked.is_(None))
        .values(used=now, expires=now + life)
    )
    return done.rowcount == 1


def _refresh(connection: Connection, held: Held, jkt: str | None, now: int) -> str:
    token = _PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(refresh_token).values(
            token_hash=tokens.hash_of(token),
            grant_id=held.id,
            jkt=jkt,
            created=now,
            expires=now + REFRESH_LIFE[held.lasting],
        )
    )
    return token
