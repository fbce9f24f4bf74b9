"""A client gives up a token (RFC 7009); public clients may, too.

An access token ends by itself, a refresh token with the whole grant. A token that is unknown or has
ended already is answered as one that ends now; one of another client is refused and stays.
"""

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError
from flask import Blueprint
from sqlalchemy import Connection, select

from auth import ending, tokens
from auth.endpoints.forms import FormRequest
from auth.endpoints.token_server import Answer, Server
from auth.models import access_grant, access_token, refresh_token
from auth.surroundings import Happening, Surroundings
from auth.tokens import hash_of


def open_revoke(routes: Blueprint, server: Server) -> None:
    """Answer at `/revoke`."""

    def answer(asked: FormRequest) -> Answer:
        client = server.authenticate_client(asked)
        token = asked.form.get("token")
        if token is None:
            raise InvalidRequestError("token is missing.")
        if not server.surroundings.store.write(
            lambda c: _revoke(c, server.surroundings, token, client.id)
        ):
            raise InvalidGrantError("The token is of another client.")
        return 200, {}, default_json_headers

    server.on_form(routes, "/revoke", answer)


def _revoke(connection: Connection, surroundings: Surroundings, token: str, client_id: str) -> bool:
    """End a token, whatever its kind; tell whether this client may."""
    now = surroundings.clock()
    told = Happening("token-revoked", client=client_id, token=tokens.id_of(token))
    by_hash = {"hash": hash_of(token)}
    access = connection.execute(
        select(access_token.c.client_id).where(access_token.c.token_hash == by_hash["hash"])
    ).first()
    if access is not None:
        if access.client_id == client_id:
            tokens.revoke(connection, token, now=now)
            surroundings.tell(connection, told)
        return bool(access.client_id == client_id)
    grant = connection.execute(
        select(access_grant.c.id, access_grant.c.client_id)
        .join(refresh_token, refresh_token.c.grant_id == access_grant.c.id)
        .where(refresh_token.c.token_hash == by_hash["hash"])
    ).first()
    if grant is not None and grant.client_id == client_id:
        ending.end(connection, grant.id, why="revoked by the client", now=now)
        surroundings.tell(connection, told)
    return grant is None or bool(grant.client_id == client_id)
