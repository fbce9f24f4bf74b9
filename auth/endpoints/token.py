"""Tokens for a code, a refresh token, or a client itself (RFC 6749 §3.2)."""

from flask import Blueprint

from auth.endpoints.forms import FormRequest
from auth.endpoints.token_server import Answer, Server
from auth.sweeping import Sweeper


def open_token(routes: Blueprint, server: Server) -> None:
    """Answer at `/token`; whoever gets a token helps to remove those that ended."""
    sweeper = Sweeper()

    def answer(asked: FormRequest) -> Answer:
        grant = server.get_token_grant(asked)
        grant.validate_token_request()
        answered: Answer = grant.create_token_response()
        sweeper.sweep_if_due(server.surroundings)
        return answered

    server.on_form(routes, "/token", answer)
