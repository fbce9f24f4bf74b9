"""Applications and systems that may ask for tokens: found, made, changed and put out of use.

`Client` has the methods that Authlib asks of one (RFC 6749 §2, RFC 7591 §2).
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from auth import ending, scopes
from auth.apps import redirects
from auth.apps.client_values import ID, check
from auth.models import approval
from auth.models import client as table
from auth.scopes import Scopes
from auth.tokens import hash_of

# What is registered where nobody says which scopes.
APP_SCOPE = "openid fhirUser launch launch/patient offline_access patient/*.rs"
SYSTEM_SCOPE = "system/*.rs"
_WITH_SECRET = ("client_secret_basic", "client_secret_post")
_SHOWN = ("name", "redirect_uris", "auth_method")
_JSON = ("redirect_uris", "logout_uris", "origins", "about", "jwks")


@dataclass(frozen=True, slots=True)
class Client:
    """One client, as it is registered."""

    id: str
    name: str
    auth_method: str
    secret_hash: str | None
    jwks: Mapping[str, Any] | None
    jwks_uri: str | None
    grant_types: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    logout_uris: tuple[str, ...]
    launch_uri: str | None
    scope: Scopes
    origins: tuple[str, ...]
    organisation: str | None
    purpose: str | None
    publisher: str | None
    about: Mapping[str, Any]
    verified: bool
    dpop: bool
    management_hash: str | None
    created: int
    changed: int
    disabled: int | None

    @property
    def client_id(self) -> str:
        """Return the id by the name that Authlib knows."""
        return self.id

    @property
    def is_public(self) -> bool:
        """Tell whether it can't keep a secret."""
        return self.auth_method == "none"

    def get_client_id(self) -> str:
        """Return the id."""
        return self.id

    def get_default_redirect_uri(self) -> str | None:
        """Return nothing: SMART clients always say where to."""
        return None

    def get_allowed_scope(self, scope: str) -> str:
        """Return what of a scope it may ask for at all."""
        return str(scopes.parse(scope).within(self.scope)) if scope else ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tell whether a browser may be sent there."""
        return redirects.is_registered(redirect_uri, self.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        """Tell whether this is its secret."""
        shown = hash_of(client_secret)
        return self.secret_hash is not None and hmac.compare_digest(shown, self.secret_hash)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Tell whether it proves who it is in this way; at each endpoint in the same."""
        return method == self.auth_method

    def check_response_type(self, response_type: str) -> bool:
        """Tell whether an authorization request of this kind is open to it."""
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether it may ask for tokens in this way."""
        return grant_type in self.grant_types


def find(connection: Connection, id: str) -> Client | None:
    """Return a client by its id, with those out of use (`disabled`)."""
    if not ID.fullmatch(id):
        return None
    row = connection.execute(select(table).where(table.c.id == id)).one_or_none()
    return None if row is None else _client(row)


def find_active(connection: Connection, id: str) -> Client | None:
    """Return a client that is in use."""
    found = find(connection, id)
    return None if found is None or found.disabled is not None else found


def all_of(connection: Connection) -> list[Client]:
    """Return every client, in order of names."""
    rows = connection.execute(select(table).order_by(table.c.name, table.c.id))
    return [_client(row) for row in rows]


def create(
    connection: Connection, *, name: str, auth_method: str, scope: str, now: int, **more: Any
) -> tuple[Client, str | None]:
    """Register a client; return it with its secret, which can't be shown again, if it has one.

    `more`: id, grant_types, redirect_uris, logout_uris, origins (lists), jwks or jwks_uri,
    launch_uri, organisation (an id), purpose, publisher, about (a mapping), verified, dpop,
    management_hash. Raises ValueError, in words for who registers it.
    """
    secret = "secs_" + secrets.token_urlsafe(32) if auth_method in _WITH_SECRET else None
    values: dict[str, Any] = {
        "id": secrets.token_hex(16),  # no dash in front: commands take it as an argument
        "grant_types": ("authorization_code", "refresh_token"),
        "redirect_uris": (),
        "logout_uris": (),
        "origins": (),
        "about": {},
        "verified": False,
        "dpop": False,
        **more,
        "name": name,
        "auth_method": auth_method,
        "scope": scope,
        "secret_hash": secret and hash_of(secret),
        "created": now,
        "changed": now,
    }
    check(values)
    if find(connection, values["id"]) is not None:
        raise ValueError(f"There is a client {values['id']} already. Choose another id.")
    connection.execute(insert(table).values(_stored(values)))
    return _needed(connection, values["id"]), secret


def change(connection: Connection, id: str, *, now: int, **changes: Any) -> Client:
    """Change what is registered of a client, by the names of `create`. Raises ValueError."""
    known = _needed(connection, id)
    values = {name: getattr(known, name) for name in Client.__slots__}
    values.update(changes, scope=changes.get("scope", str(known.scope)), changed=now)
    check(values)
    stored = _stored(values)
    connection.execute(update(table).where(table.c.id == id).values(stored))
    was = _stored({name: getattr(known, name) for name in Client.__slots__})
    if any(stored[name] != was[name] for name in _SHOWN):
        # What people allowed was the app that they were shown, where it was then.
        connection.execute(delete(approval).where(approval.c.client_id == id))
    return _needed(connection, id)


def renew_secret(connection: Connection, id: str, *, now: int) -> str:
    """Give a client another secret and return it; the one before is worth nothing any more."""
    known = _needed(connection, id)
    if known.auth_method not in _WITH_SECRET:
        raise ValueError(f"Client {id} proves who it is by {known.auth_method}, without a secret.")
    secret = "secs_" + secrets.token_urlsafe(32)
    change(connection, id, now=now, secret_hash=hash_of(secret))
    return secret


def disable(connection: Connection, id: str, *, now: int) -> bool:
    """Put a client out of use, with all that it was granted; tell whether it was in use."""
    done = connection.execute(
        update(table).where(table.c.id == id, table.c.disabled.is_(None)).values(disabled=now)
    )
    ending.end_all(connection, client_id=id, why="client disabled", now=now)
    return done.rowcount > 0


def _needed(connection: Connection, id: str) -> Client:
    found = find(connection, id)
    if found is None:
        raise ValueError(f"There is no client {id}.")
    return found


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    stored = {name: values.get(name) for name in Client.__slots__}
    for name in _JSON:
        stored[name] = None if stored[name] is None else json.dumps(stored[name])
    stored["name"] = str(values["name"]).strip()
    stored["grant_types"] = " ".join(values["grant_types"])
    return stored


def _client(row: Row[Any]) -> Client:
    values = dict(row._mapping)
    for name in _JSON:
        read = None if values[name] is None else json.loads(values[name])
        values[name] = tuple(read) if isinstance(read, list) else read
    values["grant_types"] = tuple(values["grant_types"].split())
    values["scope"] = scopes.parse(values["scope"])
    return Client(**values)
