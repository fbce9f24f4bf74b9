"""A client pushes its authorization request before the browser is sent (RFC 9126).

It is checked as at the authorization endpoint, and kept under an address that is good for 90
seconds and once. Scopes with many filters make addresses longer than browsers take.
"""

import secrets
from typing import TYPE_CHECKING

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error
from flask import Blueprint

from auth.apps.clients import Client
from auth.authorizing import authorization_request, kept_requests
from auth.authorizing.authorization_request import Fault
from auth.authorizing.kept_requests import PUSHED, PUSHED_LIFE
from auth.endpoints.forms import FormRequest
from auth.endpoints.token_server import Answer, Server
from auth.grants import asking
from auth.sweeping import Sweeper

if TYPE_CHECKING:
    from auth.jose.dpop import Proof

_OF_THE_CLIENT = ("client_secret", "client_assertion", "client_assertion_type")


def open_par(routes: Blueprint, server: Server) -> None:
    """Answer at `/par`; whoever asks helps to remove what ended."""
    sweeper = Sweeper()

    def answer(asked: FormRequest) -> Answer:
        client = server.authenticate_client(asked)
        if "request_uri" in asked.form:
            raise InvalidRequestError("request_uri is not pushed itself.")
        pushed = {n: v for n, v in asked.form.items() if n not in _OF_THE_CLIENT}
        pushed["client_id"] = client.id
        proof = _proof(server, asked)
        if proof is not None and pushed.setdefault("dpop_jkt", proof.jkt) != proof.jkt:
            raise InvalidRequestError("dpop_jkt is not the key of the DPoP proof.")
        _check(server, client, pushed)
        asking.use_up(server.surroundings, proof)
        uri = PUSHED + secrets.token_urlsafe(32)
        kept_requests.store(server.surroundings, uri, client.id, pushed, life=PUSHED_LIFE)
        sweeper.sweep_if_due(server.surroundings)
        told = {"request_uri": uri, "expires_in": PUSHED_LIFE // 1000}
        return 201, told, default_json_headers

    server.on_form(routes, "/par", answer)


def _proof(server: Server, asked: FormRequest) -> "Proof | None":
    if "DPoP" not in asked.headers:
        return None
    return asking.proof_of(server.surroundings, asked, "/auth/par")


def _check(server: Server, client: Client, pushed: dict[str, str]) -> None:
    if not client.check_redirect_uri(pushed.get("redirect_uri", "")):
        raise InvalidRequestError("redirect_uri is not registered for this client.")
    try:
        with server.surroundings.store.read() as connection:
            authorization_request.check(server.surroundings, connection, client, pushed)
    except Fault as fault:
        raise OAuth2Error(fault.description, error=fault.error) from None
