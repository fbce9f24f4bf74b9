"""Who asks at a back-channel endpoint: a client, proved in the one way it is registered for.

RFC 6749 §2.3 and §5.2. Whether a client is unknown, out of use or wrong about its secret, the
answer is the same.
"""

from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from sqlalchemy import select

from auth.apps import client_assertion, clients
from auth.apps.client_keys import ClientKeys
from auth.apps.clients import Client
from auth.jose.jwts import InvalidJwt
from auth.models import access_grant, refresh_token
from auth.tokens import hash_of

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

_REFUSED = "The client is unknown, or did not prove who it is in the way it is registered for."


class InvalidClient(InvalidClientError):  # type: ignore[misc]  # Authlib has no types
    """The client did not prove who it is; names a scheme only where one was tried."""

    status_code = 401

    def __init__(self, description: str = _REFUSED, *, by_header: bool = False) -> None:
        super().__init__(description)
        self._by_header = by_header

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        plain = [one for one in super().get_headers() if one[0] != "WWW-Authenticate"]
        challenge = [("WWW-Authenticate", 'Basic realm="client"')] if self._by_header else []
        return [*plain, *challenge]


def authenticate(
    surroundings: "Surroundings",
    keys: ClientKeys,
    *,
    authorization: str,
    form: Mapping[str, str],
) -> Client:
    """Return the client that a form and an Authorization header prove.

    Raises InvalidClient, or InvalidRequestError where more than one way was taken.
    """
    by_header = bool(authorization)
    asserts = "client_assertion" in form or "client_assertion_type" in form
    if by_header + asserts + ("client_secret" in form) > 1:
        raise InvalidRequestError("Prove who the client is in one way, not in several.")
    if asserts:
        client = _by_assertion(surroundings, keys, form)
    elif by_header:
        client = _by_secret(surroundings, *_basic(authorization), "client_secret_basic")
    elif "client_secret" in form:
        given = (form.get("client_id", ""), form["client_secret"])
        client = _by_secret(surroundings, *given, "client_secret_post")
    else:
        client = _public(surroundings, form.get("client_id") or _refreshing(surroundings, form))
    if form.get("client_id", client.id) != client.id:
        raise InvalidClient("client_id is not the client that proved itself.", by_header=by_header)
    return client


def _by_assertion(
    surroundings: "Surroundings", keys: ClientKeys, form: Mapping[str, str]
) -> Client:
    if form.get("client_assertion_type") != client_assertion.TYPE:
        raise InvalidClient(f"client_assertion_type must be {client_assertion.TYPE}.")
    try:
        return client_assertion.verify(surroundings, keys, form.get("client_assertion", ""))
    except InvalidJwt as fault:
        raise InvalidClient(f"The client assertion is refused. {fault}") from None


def _by_secret(surroundings: "Surroundings", id: str, secret: str, method: str) -> Client:
    client = _find(surroundings, id)
    if client is None or client.auth_method != method or not client.check_client_secret(secret):
        raise InvalidClient(by_header=method == "client_secret_basic")
    return client


def _refreshing(surroundings: "Surroundings", form: Mapping[str, str]) -> str:
    """Return whose refresh token is sent without a client_id, else nothing.

    RFC 6749 §6 asks no client_id of public clients there, and the library of most apps sends none.
    """
    if form.get("grant_type") != "refresh_token":
        return ""
    owner = (
        select(access_grant.c.client_id)
        .join(refresh_token, refresh_token.c.grant_id == access_grant.c.id)
        .where(refresh_token.c.token_hash == hash_of(form.get("refresh_token", "")))
    )
    with surroundings.store.read() as connection:
        return connection.execute(owner).scalar() or ""


def _public(surroundings: "Surroundings", id: str) -> Client:
    client = _find(surroundings, id)
    if client is None or not client.is_public:
        raise InvalidClient
    return client


def _find(surroundings: "Surroundings", id: str) -> Client | None:
    with surroundings.store.read() as connection:
        return clients.find_active(connection, id)


def _basic(authorization: str) -> tuple[str, str]:
    """Return id and secret, which are form-encoded inside (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        both = b64decode(encoded.strip(), validate=True).decode()
    except (NoBase64, ValueError):
        both = ""
    if scheme.lower() != "basic" or ":" not in both:
        raise InvalidClient(by_header=True)
    id, _, secret = both.partition(":")
    return unquote_plus(id), unquote_plus(secret)
