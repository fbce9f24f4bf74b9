"""A backend service asks for itself (RFC 6749 §4.4, SMART Backend Services).

Only by private_key_jwt, only for system/ scopes within those registered, for five minutes, and
without a refresh token.
"""

import json
from typing import Any

from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import (
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from sqlalchemy import Connection

from auth import scopes, tokens
from auth.authorizing import granular
from auth.grants import issuing
from auth.grants.asking import Asking
from auth.grants.issuing import Issued
from auth.principal import Principal
from auth.purposes import DEFAULT
from auth.scopes import Scopes
from auth.surroundings import Happening

LIFE = 300_000


class ClientCredentialsGrant(Asking, grants.ClientCredentialsGrant):  # type: ignore[misc]  # no types
    """The grant of clients that act for themselves."""

    def validate_token_request(self) -> None:
        """Find out who asks, and for what."""
        client = self.request.client = self.client_that_may()
        if client.auth_method != "private_key_jwt":
            raise UnauthorizedClientError("Backend services prove who they are by a key.")
        text = self.request.form.get("scope")
        if not text:
            raise InvalidRequestError("scope is missing: name system/ scopes.")
        try:
            asked = scopes.parse(text).within(client.scope)
        except ValueError:
            raise InvalidScopeError from None
        self.granted = Scopes(tuple(filter(granular.is_supported, asked.of("system"))))
        if not self.granted:
            raise InvalidScopeError("scope names nothing that this client may have.")
        self.read_proof()

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Issue a token."""
        self.use_proof()
        issued = self.surroundings.store.write(self._issue)
        return self.answer(issuing.response(issued))

    def _issue(self, connection: Connection) -> Issued:
        now, client = self.surroundings.clock(), self.request.client
        token = tokens.create(
            connection,
            kind="system",
            name=client.name,
            organisation=client.organisation,
            now=now,
            expires=now + LIFE,
            client_id=client.id,
            scope=str(self.granted),
            context=json.dumps({"author": client.id, "purpose": client.purpose or DEFAULT}),
            jkt=self.jkt,
            audience=self.surroundings.base,
        )
        by = Principal(client.id, "system", client.name, client.organisation, self.granted)
        told = Happening(
            "token-issued", by, client.id, tokens.id_of(token), named=str(self.granted)
        )
        self.surroundings.tell(connection, told)
        return Issued(token, LIFE, self.granted, self.jkt)
