"""The server that clients speak to without a browser, on Authlib's plumbing.

Of Authlib's AuthorizationServer the order of events, the grants' interface and the error classes
are taken. Forms, clients, tokens and answers are ours: `tests/unit/auth/test_authlib.py` holds each
default that is overridden.
"""

from collections.abc import Callable
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error
from flask import Blueprint, Response, request

from auth.apps import client_keys
from auth.apps.client_authentication import authenticate
from auth.apps.client_keys import ClientKeys
from auth.apps.clients import Client
from auth.endpoints.forms import FormRequest, read_form
from auth.grants.authorization_code import AuthorizationCodeGrant
from auth.grants.client_credentials import ClientCredentialsGrant
from auth.grants.refresh_token import RefreshTokenGrant
from auth.surroundings import Surroundings

GRANTS = (AuthorizationCodeGrant, RefreshTokenGrant, ClientCredentialsGrant)
Answer = tuple[int, Any, list[tuple[str, str]]]


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Authlib's server with our clients; grants store their tokens themselves."""

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__()
        self.surroundings = surroundings
        self.keys = ClientKeys(client_keys.fetching(surroundings.options.get("jwks_origins", ())))
        for grant in GRANTS:
            self.register_grant(grant)

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        """Return the request, which was read already."""
        return request

    def get_token_grant(self, request: FormRequest) -> Any:
        """Return the grant that a form asks for."""
        if "grant_type" not in request.form:
            raise InvalidRequestError("grant_type is missing.")
        if not any(grant.check_token_endpoint(request) for grant in GRANTS):
            # Authlib's own error repeats what was sent.
            raise OAuth2Error("This grant type is not supported.", error="unsupported_grant_type")
        return super().get_token_grant(request)

    def authenticate_client(self, request: FormRequest, *_methods: Any) -> Client:
        """Return the client that asks, proved in the one way it is registered for."""
        authorization = request.headers.get("Authorization", "")
        client = authenticate(
            self.surroundings, self.keys, authorization=authorization, form=request.form
        )
        request.client = client
        return client

    def answering(self, answer: Callable[..., Answer]) -> Callable[..., Response]:
        """Return a view that answers as told, or with the error that is raised."""

        def view(**path: str) -> Response:
            try:
                status, body, headers = answer(**path)
            except OAuth2Error as error:
                status, body, headers = error(self.get_error_uri(request, error))
            response: Response = self.handle_response(status, body, headers)
            return response

        return view

    def on_form(
        self, routes: Blueprint, path: str, answer: Callable[[FormRequest], Answer]
    ) -> None:
        """Answer the forms that are posted to an address."""
        view = self.answering(lambda: answer(read_form(request)))
        routes.add_url_rule(path, path.strip("/"), view, methods=["POST"])
