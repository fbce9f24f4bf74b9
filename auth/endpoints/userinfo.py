"""Who the user of a token is (OpenID Connect Core §5.3); GET and POST, token in the header only.

A token that is bound to a key comes with a proof of it (RFC 9449 §7).
"""

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select

from auth import tokens
from auth.jose import dpop, id_token
from auth.jose.dpop import InvalidProof, NonceNeeded, OtherKey
from auth.models import access_token
from auth.scopes import NONE
from auth.sign_in import users
from auth.sign_in.users import User
from auth.surroundings import Surroundings
from auth.tokens import Found, hash_of

_PATH = "/auth/userinfo"


def open_userinfo(routes: Blueprint, surroundings: Surroundings) -> None:
    """Answer at `/userinfo`."""

    @routes.route("/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() not in ("bearer", "dpop") or not token:
            return _refused(401, "")
        with surroundings.store.read() as connection:
            found = tokens.find(connection, token, now=surroundings.clock())
        if found is None:
            return _refused(401, "invalid_token")
        if found.jkt is not None or scheme.lower() == "dpop":
            refusal = _unproven(surroundings, scheme, token, found)
            if refusal is not None:
                return refusal
        granted = found.principal.scopes or NONE
        if not granted.has("openid"):
            return _refused(403, "insufficient_scope")
        user = _user(surroundings, token, found)
        if user is None:
            return _refused(401, "invalid_token")
        response = jsonify(id_token.user_claims(surroundings, user, granted))
        response.headers["Cache-Control"] = "no-store"
        return response


def _unproven(surroundings: Surroundings, scheme: str, token: str, found: Found) -> Response | None:
    """Refuse a token that is sent in the wrong way, or without a proof of its key."""
    if scheme.lower() != "dpop" or found.jkt is None:
        return _refused(401, "invalid_token")
    sent, url = request.headers.get("DPoP", ""), f"{surroundings.root}{_PATH}"
    try:
        dpop.check_proof(
            surroundings, sent, method=request.method, url=url, token=token, bound_to=found.jkt
        )
    except NonceNeeded as needed:
        response = _refused(401, "use_dpop_nonce", "DPoP")
        response.headers["DPoP-Nonce"] = needed.nonce
        return response
    except OtherKey:
        return _refused(401, "invalid_token", "DPoP")
    except InvalidProof:
        return _refused(401, "invalid_dpop_proof", "DPoP")
    return None


def _user(surroundings: Surroundings, token: str, found: Found) -> User | None:
    """Return the user whom a token was given for, unless they may sign in no more."""
    asked = select(access_token.c.user_id).where(access_token.c.token_hash == hash_of(token))
    with surroundings.store.read() as connection:
        id = connection.execute(asked).scalar()
        user = None if id is None else users.find(connection, id, surroundings.clock())
    if user is None or user.disabled:
        return None
    return user.acting_for(found.principal.patient)


def _refused(status: int, error: str, scheme: str = "Bearer") -> Response:
    """Answer as RFC 6750 §3.1: no error code to who sent no token."""
    response = Response(status=status)
    challenge = f'{scheme} realm="userinfo"'
    if error:
        challenge += f', error="{error}"'
    if error == "insufficient_scope":
        challenge += ', scope="openid"'
    response.headers["WWW-Authenticate"] = challenge
    response.headers["Cache-Control"] = "no-store"
    return response
