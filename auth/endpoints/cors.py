"""Which sites' scripts may call the endpoints of OAuth (the Fetch standard's CORS protocol).

Scripts of a site may read an answer when a client is registered with that origin: the client that
asks, where the request names one. Pages and everything with a cookie are open to none, and what
everybody may read is open to all. Credentials are never allowed.
"""

from flask import Blueprint, Response, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from auth.apps import origins
from auth.surroundings import Surroundings

SCRIPTED = ("token", "revoke", "introspect", "userinfo", "register", "par")
PUBLIC = ("jwks", "brands")
_ACCEPTED = "Accept, Authorization, Content-Type, DPoP"
_EXPOSED = "DPoP-Nonce, WWW-Authenticate"


def open_to_scripts(routes: Blueprint, surroundings: Surroundings) -> None:
    """Answer questions before a script's request, and mark answers that scripts may read."""

    @routes.after_request
    def mark(response: Response) -> Response:
        name = request.path.removeprefix("/auth/").split("/")[0]
        origin = request.headers.get("Origin", "")
        if name in PUBLIC and origin:
            response.headers["Access-Control-Allow-Origin"] = "*"
        elif name in SCRIPTED:
            response.headers.add("Vary", "Origin")
            if _is_open(surroundings, origin):
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if request.method == "OPTIONS" and "Access-Control-Allow-Origin" in response.headers:
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
            response.headers["Access-Control-Allow-Headers"] = _ACCEPTED
            response.headers["Access-Control-Max-Age"] = "600"
        return response


def _is_open(surroundings: Surroundings, origin: str) -> bool:
    if not origin:
        return False
    faults: tuple[type[Exception], ...] = (HTTPException, OperationalError, *surroundings.refusals)
    try:
        named = request.form.get("client_id") if request.method == "POST" else None
        if "\0" in (named or ""):
            return False
        with surroundings.store.read() as connection:
            return origins.is_registered(connection, origin, named)
    except faults:
        # The form that can't be read, or the database, was answered for already.
        return False
