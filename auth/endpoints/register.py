"""Clients register themselves with a ticket, and look after what they registered (RFC 7591, 7592).

What a client changes of itself, an operator has not seen: it is not verified any more.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc7591 import InvalidClientMetadataError, InvalidRedirectURIError
from flask import Blueprint, request
from sqlalchemy import Connection
from werkzeug.exceptions import HTTPException

from auth.apps import clients, registration, tickets
from auth.apps.clients import Client
from auth.apps.registration import InvalidRedirect
from auth.endpoints.token_server import Answer, Server
from auth.grants.asking import InvalidToken, plain
from auth.surroundings import Happening
from auth.tokens import hash_of

T = TypeVar("T")
_LARGEST = 64 * 1024
_ASK = "The operator of this server makes one with: ehr client ticket create."
_NO_TICKET = f"Send a ticket in the header, as Authorization: Bearer. {_ASK}"
_NOT_GOOD = f"This ticket is unknown, expired, revoked or used up. {_ASK}"
_NOT_YOURS = (
    "Send the registration_access_token of this client, as Authorization: Bearer. One who lost it "
    "asks the operator of this server to change the client."
)


def open_register(routes: Blueprint, server: Server) -> None:
    """Answer at `/register` and below."""
    create = server.answering(lambda: _create(server))
    routes.add_url_rule("/register", "register", create, methods=["POST"])
    for method, answer in (("GET", _show), ("PUT", _change), ("DELETE", _remove)):
        view = server.answering(lambda client_id, a=answer: a(server, client_id))
        routes.add_url_rule(
            "/register/<client_id>", f"register_{method.lower()}", view, methods=[method]
        )


def _create(server: Server) -> Answer:
    ticket, now = _bearer(_NO_TICKET), server.surroundings.clock()
    values = _values()
    management = "secm_" + secrets.token_urlsafe(32)

    def work(connection: Connection) -> tuple[Client, str | None]:
        if not tickets.take(connection, ticket, now=now):
            raise InvalidToken(_NOT_GOOD)
        known = {**values, **tickets.holder(connection, ticket)}
        made = clients.create(connection, now=now, management_hash=hash_of(management), **known)
        _tell(server, connection, made[0].id, "registered")
        return made

    client, secret = _valid(lambda: server.surroundings.store.write(work))
    return 201, _told(server, client, management, secret), default_json_headers


def _show(server: Server, client_id: str) -> Answer:
    client, management = _managed(server, client_id)
    return 200, _told(server, client, management, None), default_json_headers


def _change(server: Server, client_id: str) -> Answer:
    client, management = _managed(server, client_id)
    values, now = _values(), server.surroundings.clock()
    if values["auth_method"] != client.auth_method:
        raise InvalidClientMetadataError("token_endpoint_auth_method does not change.")

    def work(connection: Connection) -> Client:
        _tell(server, connection, client.id, "changed by itself")
        return clients.change(connection, client.id, now=now, **values)

    changed = _valid(lambda: server.surroundings.store.write(work))
    return 200, _told(server, changed, management, None), default_json_headers


def _remove(server: Server, client_id: str) -> Answer:
    client, _ = _managed(server, client_id)
    now = server.surroundings.clock()

    def work(connection: Connection) -> None:
        clients.disable(connection, client.id, now=now)
        _tell(server, connection, client.id, "removed by itself")

    server.surroundings.store.write(work)
    return 204, "", default_json_headers


def _tell(server: Server, connection: Connection, client: str, named: str) -> None:
    server.surroundings.tell(connection, Happening("client-changed", client=client, named=named))


def _managed(server: Server, client_id: str) -> tuple[Client, str]:
    """Return the client whose registration access token is shown."""
    shown = _bearer(_NOT_YOURS)
    with server.surroundings.store.read() as connection:
        client = clients.find_active(connection, client_id)
    if client is None or client.management_hash != hash_of(shown):
        raise InvalidToken(_NOT_YOURS)
    return client, shown


def _bearer(missing: str) -> str:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not shown.strip():
        raise InvalidToken(missing)
    return shown.strip()


def _values() -> dict[str, Any]:
    request.max_content_length = _LARGEST
    try:
        metadata = request.get_json()
    except (HTTPException, RecursionError):
        raise InvalidRequestError("Send a JSON document of at most 64 KB.") from None
    if not isinstance(metadata, Mapping):
        raise InvalidRequestError("Send a JSON object.")
    return _valid(lambda: registration.registered(metadata))


def _valid(work: Callable[[], T]) -> T:
    """Do what raises ValueError where metadata are wrong, and tell the client so."""
    try:
        return work()
    except InvalidRedirect as fault:
        raise InvalidRedirectURIError(plain(str(fault))) from None
    except ValueError as fault:
        raise InvalidClientMetadataError(plain(str(fault))) from None


def _told(server: Server, client: Client, management: str, secret: str | None) -> dict[str, Any]:
    told = {
        **registration.told(client),
        "registration_access_token": management,
        "registration_client_uri": f"{server.surroundings.root}/auth/register/{client.id}",
    }
    if secret is not None:
        told |= {"client_secret": secret, "client_secret_expires_at": 0}
    return told
