"""Tokens for a code, a refresh token, or a client itself (RFC 6749 §3.2)."""

from authlib.oauth2.rfc6749.errors import OAuth2Error
from flask import Blueprint

from auth.endpoints.forms import FormRequest
from auth.endpoints.token_server import Answer, Server
from auth.surroundings import Happening
from auth.sweeping import Sweeper


def open_token(routes: Blueprint, server: Server) -> None:
    """Answer at `/token`; whoever gets a token helps to remove those that ended."""
    sweeper = Sweeper()

    def answer(asked: FormRequest) -> Answer:
        grant = server.get_token_grant(asked)
        try:
            grant.validate_token_request()
            answered: Answer = grant.create_token_response()
        except OAuth2Error as error:
            _tell_refused(server, asked, error)
            raise
        sweeper.sweep_if_due(server.surroundings)
        return answered

    server.on_form(routes, "/token", answer)


def _tell_refused(server: Server, asked: FormRequest, error: OAuth2Error) -> None:
    """Audit that a client which proved who it is got no token; a nonce is no refusal."""
    client = asked.client
    if client is not None and error.error != "use_dpop_nonce":
        told = Happening("token-issued", client=client.id, named=error.error, is_refused=True)
        server.surroundings.tell(None, told)
