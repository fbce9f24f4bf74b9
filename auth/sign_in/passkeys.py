"""Passkeys: registration and sign-in by Web Authentication (W3C WebAuthn Level 2) with fido2.

The passkey checks its owner (user verification), so that one ceremony shows two factors. It is
bound to the name of this server; a counter that does not grow gives a copied key away.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from sqlalchemy import Connection, delete, or_, select, update

from auth.apps.shown_texts import OWN_NAME
from auth.models import passkey
from auth.models.inserting import insert_new
from auth.sign_in import authentication
from auth.sign_in.sessions import Session
from auth.sign_in.users import User
from auth.surroundings import Surroundings

MOST = 20  # of one user
# What fido2 raises on what nobody's browser sends: too short, nested too deep, of no known key.
_UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    struct.error,
)
_VERIFIED = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner's list shows it."""

    id: str
    name: str
    created: int
    used: int | None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What the browser is asked for (JSON), and what must be kept until it answers."""

    options: str
    kept: Mapping[str, Any]


def are_possible(surroundings: Surroundings) -> bool:
    """Tell whether browsers make passkeys for this server: that takes a name and TLS."""
    host = urlsplit(surroundings.root).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return surroundings.is_https or host == "localhost"
    return False


def of_user(connection: Connection, user_id: str) -> list[Passkey]:
    """Return the passkeys of a user, oldest first."""
    rows = connection.execute(
        select(passkey).where(passkey.c.user_id == user_id).order_by(passkey.c.created)
    )
    return [Passkey(row.credential_id, row.name, row.created, row.used) for row in rows]


def begin_registration(surroundings: Surroundings, user: User) -> Ceremony:
    """Begin to make a passkey for a user."""
    options, state = _server(surroundings).register_begin(
        PublicKeyCredentialUserEntity(id=user.id.encode(), name=user.login, display_name=user.name),
        credentials=_known(surroundings, user.id),
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=_VERIFIED,
    )
    return Ceremony(_as_json(options), state)


def finish_registration(
    surroundings: Surroundings, session: Session, kept: Mapping[str, Any], answer: str, name: str
) -> bool:
    """Keep a passkey that was made; tell whether all was in order. Raises `sessions.Over`."""
    user, now = session.user, surroundings.clock()
    try:
        made = _server(surroundings).register_complete(dict(kept), json.loads(answer))
    except _UNREADABLE:
        return False
    found = made.credential_data
    if found is None:
        return False
    values = {
        "credential_id": websafe_encode(found.credential_id),
        "user_id": user.id,
        "public_key": cbor.encode(found.public_key),
        "sign_count": made.counter,
        "name": name,
        "created": now,
        "used": None,
    }

    def work(connection: Connection) -> bool:
        authentication.hold(connection, session, now)
        few = len(of_user(connection, user.id)) < MOST
        return few and insert_new(connection, passkey, **values)

    return surroundings.store.write(work)


def begin_sign_in(surroundings: Surroundings, user_id: str | None) -> Ceremony:
    """Begin to ask a user for one of their passkeys; anybody, for one that says whose it is."""
    known = None if user_id is None else _known(surroundings, user_id)
    options, state = _server(surroundings).authenticate_begin(known, user_verification=_VERIFIED)
    return Ceremony(_as_json(options), state)


def finish_sign_in(
    surroundings: Surroundings, user_id: str, kept: Mapping[str, Any], answer: str
) -> bool:
    """Tell whether a passkey of the user answered the challenge that was kept."""
    known = _known(surroundings, user_id)
    try:
        response = AuthenticationResponse.from_dict(json.loads(answer))
        used = _server(surroundings).authenticate_complete(dict(kept), known, response)
        counter = response.response.authenticator_data.counter
    except _UNREADABLE:
        return False
    id, now = websafe_encode(used.credential_id), surroundings.clock()
    mine = (passkey.c.credential_id == id) & (passkey.c.user_id == user_id)
    # Passkeys that are kept in several places have no counter, and always say 0.
    grows = or_(passkey.c.sign_count < counter, (passkey.c.sign_count == 0) & (counter == 0))

    def work(connection: Connection) -> bool:
        done = connection.execute(
            update(passkey).where(mine, grows).values(sign_count=counter, used=now)
        )
        return done.rowcount == 1

    return surroundings.store.write(work)


def finish_discovery(
    surroundings: Surroundings, kept: Mapping[str, Any], answer: str
) -> str | None:
    """Return whose passkey answered; it says so itself, and we must know it by the same user."""
    try:
        response = AuthenticationResponse.from_dict(json.loads(answer))
        id, told = websafe_encode(response.raw_id), response.response.user_handle
    except _UNREADABLE:
        return None
    with surroundings.store.read() as connection:
        owner = connection.execute(
            select(passkey.c.user_id).where(passkey.c.credential_id == id)
        ).scalar_one_or_none()
    if owner is None or told != owner.encode():
        return None
    return owner if finish_sign_in(surroundings, owner, kept, answer) else None


def remove(connection: Connection, user_id: str, id: str | None = None) -> bool:
    """Forget a passkey of a user, or all; tell whether there was one."""
    mine = passkey.c.user_id == user_id
    which = mine if id is None else mine & (passkey.c.credential_id == id)
    return connection.execute(delete(passkey).where(which)).rowcount > 0


def _server(surroundings: Surroundings) -> Fido2Server:
    parts = urlsplit(surroundings.root)
    origin = f"{parts.scheme}://{parts.netloc}"
    entity = PublicKeyCredentialRpEntity(id=parts.hostname or "", name=OWN_NAME)
    return Fido2Server(entity, verify_origin=lambda told: told == origin)


def _known(surroundings: Surroundings, user_id: str) -> list[AttestedCredentialData]:
    with surroundings.store.read() as connection:
        rows = connection.execute(
            select(passkey.c.credential_id, passkey.c.public_key).where(
                passkey.c.user_id == user_id
            )
        ).all()
    return [
        AttestedCredentialData.create(
            Aaguid.NONE,
            websafe_decode(row.credential_id),
            CoseKey.parse(_cose(row.public_key)),
        )
        for row in rows
    ]


def _cose(stored: bytes) -> Mapping[int, Any]:
    decoded = cbor.decode(stored)
    assert isinstance(decoded, Mapping)
    return decoded


def _as_json(options: Any) -> str:
    return json.dumps(dict(options))
