"""The id of an event: its place under a key of the database, so that ids tell nothing.

One block of AES (FIPS 197) over writer, epoch and number, as 32 hexadecimal digits: the same event
has the same id for ever, and nobody can guess that of the one before.
"""

import re
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehr.audit.event import Place
from ehr.store.engine import Database

PURPOSE = "audit-id"  # of the key in the ring
_BLOCK = struct.Struct(">qQ")
_ID = re.compile(r"[0-9a-f]{32}")
_HALF = 28  # bits that a writer has of the first word, less its sign
_EPOCH = 36
_BELOW = 1 << _HALF - 1


class Ids:
    """Ids of the events of one database."""

    def __init__(self, database: Database) -> None:
        # One block and no text: nothing repeats that a mode would have to hide.
        self._cipher = Cipher(algorithms.AES(database.secret(PURPOSE)), modes.ECB())  # noqa: S305

    def of(self, place: Place) -> str:
        """Return the id of the event at a place."""
        if not -_BELOW <= place.writer < _BELOW or not 0 <= place.epoch < 1 << _EPOCH:
            raise ValueError("no process starts so often, or writes so much")
        block = _BLOCK.pack(place.writer << _EPOCH | place.epoch, place.n)
        encryptor = self._cipher.encryptor()
        return (encryptor.update(block) + encryptor.finalize()).hex()

    def place(self, id: str) -> Place | None:
        """Return the place that an id stands for, None where it can't be one."""
        if not _ID.fullmatch(id):
            return None
        decryptor = self._cipher.decryptor()
        high, n = _BLOCK.unpack(decryptor.update(bytes.fromhex(id)) + decryptor.finalize())
        place = Place(high >> _EPOCH, high & (1 << _EPOCH) - 1, n)
        return place if n < 1 << 63 else None
