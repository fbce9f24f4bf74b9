"""A safe for what must be read again: sealed by a key of the database's ring (AES-256-GCM)."""

import hmac
import os
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from ehr.store.engine import Database

PURPOSE = "seal"  # of the key in the ring
_NONCE = 12


class Safe:
    """Seals secrets; which database it is of decides which key it takes."""

    def __init__(self, database: "Database") -> None:
        self._key = database.secret(PURPOSE)

    def seal(self, secret: bytes) -> bytes:
        """Return the secret as it may be stored."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, secret, None)

    def unseal(self, sealed: bytes) -> bytes:
        """Return what was sealed. Raises ValueError where it was changed or sealed elsewhere."""
        try:
            return AESGCM(self._key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except InvalidTag:
            raise ValueError("What was sealed was changed, or sealed by another key.") from None

    def signing_key(self, purpose: str) -> bytes:
        """Return 32 bytes for keyed hashes of one purpose, the same in every process."""
        return hmac.digest(self._key, purpose.encode(), sha256)
