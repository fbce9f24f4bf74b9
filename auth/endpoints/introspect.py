"""What a token is worth (RFC 7662; SMART App Launch 2.2, *Token Introspection*).

Who may ask: a client that can prove who it is, of its own tokens; and who shows a token in the
Authorization header: systems and operators of any, applications of those of the same client. To
everybody else, and of every token that is not in force, the answer is only that it is not active.
For what a token is used (`purpose_of_use`, a code of v3-ActReason) is told to who may ask of any.
Who asks for many that never were theirs is guessing, and has to wait (429).
"""

from dataclasses import dataclass
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error
from flask import Blueprint
from sqlalchemy import select

from auth import tokens
from auth.apps.client_authentication import InvalidClient
from auth.endpoints.forms import FormRequest
from auth.endpoints.token_server import Answer, Server
from auth.grants import asking, issuing
from auth.jose import id_token
from auth.jose.dpop import InvalidProof, check_proof
from auth.models import access_token
from auth.scopes import NONE
from auth.sign_in import attempts
from auth.surroundings import Surroundings
from auth.tokens import Found, hash_of

_ANY = ("system", "operator")


def open_introspect(routes: Blueprint, server: Server) -> None:
    """Answer at `/introspect`."""

    def answer(asked: FormRequest) -> Answer:
        caller = _caller(server, asked)
        token = asked.form.get("token")
        if token is None:
            raise InvalidRequestError("token is missing.")
        guesses = attempts.of_introspection(server.surroundings, caller.name)
        wait = attempts.closed_for(server.surroundings, guesses)
        if wait:
            raise TooManyGuesses(wait)
        found = _found(server.surroundings, token)
        told: dict[str, Any] = {"active": False}
        if found is not None and (caller.sees_all or found.principal.client == caller.client):
            told = _active(server.surroundings, found, token)
            if caller.sees_all and found.principal.purpose is not None:
                told["purpose_of_use"] = found.principal.purpose
        elif not _was(server.surroundings, token, caller):
            attempts.take(server.surroundings, [guesses])
        return 200, told, default_json_headers

    server.on_form(routes, "/introspect", answer)


class TooManyGuesses(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """A caller asked for too many tokens that never were its own (T21)."""

    error = "slow_down"
    status_code = 429

    def __init__(self, wait: int) -> None:
        super().__init__(attempts.waiting_text(wait))
        self._seconds = -(-wait // 1000)

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        return [*super().get_headers(), ("Retry-After", str(self._seconds))]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: of any token, or of those of one client."""

    name: str
    sees_all: bool
    client: str | None


def _caller(server: Server, asked: FormRequest) -> Caller:
    scheme, _, shown = asked.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "dpop"):
        client = server.authenticate_client(asked)
        if client.is_public:
            raise InvalidClient("Introspection is for clients that can prove who they are.")
        return Caller(client.id, False, client.id)
    found = _found(server.surroundings, shown.strip())
    if found is None or (found.jkt is None) != (scheme.lower() == "bearer"):
        raise asking.InvalidToken
    if found.jkt is not None:
        _check_proof(server, asked, found.jkt, shown.strip())
    of = found.principal
    return Caller(of.client or of.id, of.kind in _ANY, of.client)


def _check_proof(server: Server, asked: FormRequest, jkt: str, token: str) -> None:
    sent, around = asked.headers.getlist("DPoP"), server.surroundings
    try:
        if len(sent) != 1:
            raise InvalidProof("Send one DPoP header.")
        url = f"{around.root}/auth/introspect"
        check_proof(around, sent[0], method="POST", url=url, token=token, bound_to=jkt)
    except InvalidProof as fault:
        raise asking.DpopError(fault) from None


def _found(surroundings: Surroundings, token: str) -> Found | None:
    with surroundings.store.read() as connection:
        return tokens.find(connection, token, now=surroundings.clock())


def _was(surroundings: Surroundings, token: str, caller: Caller) -> bool:
    """Tell whether a token that is not in force was one that the caller may ask of."""
    of = access_token.c
    with surroundings.store.read() as connection:
        row = connection.execute(
            select(of.client_id).where(of.token_hash == hash_of(token))
        ).one_or_none()
    return row is not None and (caller.sees_all or row.client_id == caller.client)


def _active(surroundings: Surroundings, found: Found, token: str) -> dict[str, Any]:
    principal, granted = found.principal, found.principal.scopes or NONE
    told: dict[str, Any] = {
        **issuing.beside(dict(found.context or {}).get("launch", {})),
        "active": True,
        "scope": str(granted),
        "client_id": principal.client or principal.id,
        "token_type": "DPoP" if found.jkt else "Bearer",
        "iat": found.created // 1000,
        "aud": surroundings.base,
    }
    if found.expires is not None:
        told["exp"] = found.expires // 1000
    if found.jkt is not None:
        told["cnf"] = {"jkt": found.jkt}
    user_id = _user_id(surroundings, token) if granted.has("openid") else None
    if user_id is not None:
        told |= {"iss": surroundings.base, "sub": id_token.subject(surroundings, user_id)}
    if principal.person is not None and granted.has("fhirUser", "profile"):
        told["fhirUser"] = f"{surroundings.base}/{principal.person}"
    return told


def _user_id(surroundings: Surroundings, token: str) -> str | None:
    of = access_token.c
    with surroundings.store.read() as connection:
        row = connection.execute(select(of.user_id).where(of.token_hash == hash_of(token))).first()
    return None if row is None else row.user_id
