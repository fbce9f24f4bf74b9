"""What every token request has in common: who asks, by which key, and how it is answered."""

import re
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749.errors import OAuth2Error, UnauthorizedClientError

from auth.apps.clients import Client
from auth.jose import dpop
from auth.jose.dpop import InvalidProof, NonceNeeded, Proof
from auth.sign_in import standing

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

UNCACHED = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
]


_UNSAID = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class Asking:
    """A token request. `server` and `request` are those of Authlib's grants.

    `until` is when the record will no longer bear out what is asked for.
    """

    GRANT_TYPE: str
    server: Any
    request: Any
    proof: Proof | None = None
    until: int = standing.NEVER

    @property
    def surroundings(self) -> "Surroundings":
        """Return the world around the server."""
        surroundings: Surroundings = self.server.surroundings
        return surroundings

    def client_that_may(self) -> Client:
        """Return the client that asks, if this grant is open to it."""
        client: Client = self.server.authenticate_client(self.request)
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client is not registered for this grant type.")
        return client

    @property
    def jkt(self) -> str | None:
        """Return the thumbprint of the key that tokens are to be bound to."""
        return None if self.proof is None else self.proof.jkt

    def read_proof(self) -> None:
        """Check the DPoP header of the request, if it has one."""
        self.proof = proof_of(self.surroundings, self.request, "/auth/token")

    def use_proof(self) -> None:
        """Take the proof, once, when it is known that somebody of ours sent it."""
        use_up(self.surroundings, self.proof)

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Return a token response, which nobody may keep."""
        return 200, body, UNCACHED


def plain(text: str) -> str:
    """Return a text that may be an error_description (RFC 6749 §5.2)."""
    return _UNSAID.sub(" ", text)


class InvalidToken(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """The token that a caller shows is unknown, expired, revoked, or shown in the wrong way."""

    error = "invalid_token"
    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        challenge = ("WWW-Authenticate", 'Bearer error="invalid_token"')
        return [*super().get_headers(), challenge]


class DpopError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """The proof is refused, or another is asked for with a nonce (RFC 9449 §5, §8)."""

    def __init__(self, fault: InvalidProof) -> None:
        needs_nonce = isinstance(fault, NonceNeeded)
        error = "use_dpop_nonce" if needs_nonce else "invalid_dpop_proof"
        super().__init__(str(fault), error=error)
        self._nonce = fault.nonce if isinstance(fault, NonceNeeded) else None

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        headers: list[tuple[str, str]] = super().get_headers()
        return [*headers, ("DPoP-Nonce", self._nonce)] if self._nonce else headers


def proof_of(surroundings: "Surroundings", request: Any, path: str) -> Proof | None:
    """Return the proof in a request's DPoP header, if it has one, not yet used up.

    Raises DpopError, also where the client is registered for bound tokens only.
    """
    proofs = request.headers.getlist("DPoP")
    try:
        if len(proofs) > 1:
            raise InvalidProof("Send one DPoP header.")
        if proofs:
            url = f"{surroundings.root}{path}"
            return dpop.read_proof(surroundings, proofs[0], method="POST", url=url)
        if request.client is not None and request.client.dpop:
            raise InvalidProof("This client takes tokens only that are bound to a key: send DPoP.")
    except InvalidProof as fault:
        raise DpopError(fault) from None
    return None


def use_up(surroundings: "Surroundings", proof: Proof | None) -> None:
    """Take a proof, once. Raises DpopError where it was used before."""
    try:
        if proof is not None:
            dpop.use_up(surroundings, proof)
    except InvalidProof as fault:
        raise DpopError(fault) from None
