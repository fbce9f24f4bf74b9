"""A passkey in software: answers what a browser would be asked for, honestly or not."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG


@dataclass
class Authenticator:
    """One key pair; what it claims can be changed to attack with."""

    origin: str = "http://localhost:8000"
    counter: int = 1
    flags: Any = FLAG.UP | FLAG.UV
    id: bytes = b"the passkey of the tests"
    owner: bytes = b""  # whose it is, as it was told when it was made
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: str) -> str:
        """Answer what asks for a new passkey (`navigator.credentials.create`)."""
        asked = json.loads(options)["publicKey"]
        self.owner = websafe_decode(asked["user"]["id"])
        about = AuthenticatorData.create(
            sha256(asked["rp"]["id"].encode()).digest(),
            self.flags | FLAG.AT,
            self.counter,
            AttestedCredentialData.create(
                Aaguid.NONE, self.id, ES256.from_cryptography_key(self.key.public_key())
            ),
        )
        return self._answer(
            {
                "clientDataJSON": self._said("webauthn.create", asked["challenge"]),
                "attestationObject": bytes(AttestationObject.create("none", about, {})),
            }
        )

    def use(self, options: str, *, rp: str | None = None) -> str:
        """Answer what asks for a passkey (`navigator.credentials.get`)."""
        asked = json.loads(options)["publicKey"]
        self.counter += 1
        about = AuthenticatorData.create(
            sha256((rp or asked["rpId"]).encode()).digest(), self.flags, self.counter
        )
        said = self._said("webauthn.get", asked["challenge"])
        signed = self.key.sign(about + sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": said, "authenticatorData": bytes(about), "signature": signed}
        return self._answer(response | ({"userHandle": self.owner} if self.owner else {}))

    def _said(self, type: str, challenge: str) -> bytes:
        return bytes(CollectedClientData.create(type, challenge, self.origin))

    def _answer(self, response: dict[str, bytes]) -> str:
        return json.dumps(
            {
                "id": websafe_encode(self.id),
                "rawId": websafe_encode(self.id),
                "type": "public-key",
                "response": {name: websafe_encode(value) for name, value in response.items()},
                "clientExtensionResults": {},
            }
        )
