"""The public keys that check id_tokens (RFC 7517 §5), for everybody."""

from flask import Blueprint, Response

from auth.endpoints.discovery import public_json
from auth.jose import keys
from auth.surroundings import Surroundings


def open_jwks(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve the keys at `/jwks`."""

    @routes.get("/jwks")
    def jwks() -> Response:
        now = surroundings.clock()
        # A client may look before anything was signed.
        keys.signer(surroundings.store, surroundings.safe, "RS256", now=now)
        return public_json({"keys": keys.public_keys(surroundings.store, now=now)})
