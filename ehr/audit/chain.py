"""The one chain over all events: what a seal covers, its hash, and who signed it.

A seal names the rows it takes by ranges of numbers, in the order in which they are hashed, after
the hash of the seal before it. Ed25519 signs the hash by a key of the database's ring, so that who
can write to the tables alone can't make one.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ehr.audit.event import Values, canonical
from ehr.audit.items import folded, get_all, put, unfolded

PURPOSE = "audit-seal"  # of the key in the ring
BEGINNING = bytes(32)  # what comes before the first seal
_SEAL = struct.Struct(">QQII")
_SIGNED = b"ehr audit seal 1\0"
_HASHED = b"ehr audit chain 1\0"


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The numbers `first` to `last` of one epoch."""

    writer: int
    epoch: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """Return how many numbers it has."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Seal:
    """One link; `size` is how many rows were there when it was made."""

    seq: int
    at: int
    size: int
    covers: bytes
    previous: bytes
    hash: bytes
    signature: bytes
    key_id: str


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Return ranges in their order, those that follow one upon another as one."""
    found: list[Range] = []
    for one in sorted(ranges):
        last = found[-1] if found else None
        if last and (last.writer, last.epoch, last.last + 1) == (one.writer, one.epoch, one.first):
            found[-1] = Range(last.writer, last.epoch, last.first, one.last)
        else:
            found.append(one)
    return found


def packed(ranges: Sequence[Range]) -> bytes:
    """Return ranges as bytes."""
    out = bytearray()
    for one in ranges:
        put(out, folded(one.writer))
        for number in (one.epoch, one.first, one.size):
            put(out, number)
    return bytes(out)


def unpacked(data: bytes) -> Iterator[Range]:
    """Yield the ranges of such bytes. Raises ValueError where they are cut off."""
    numbers = get_all(data)
    for writer, epoch, first, size in zip(numbers, numbers, numbers, numbers, strict=True):
        yield Range(unfolded(writer), epoch, first, first + size - 1)


def hashed(seq: int, at: int, covers: bytes, previous: bytes, events: Sequence[Values]) -> bytes:
    """Return the hash of a seal over these events."""
    digest = hashlib.sha256(_HASHED + previous)
    digest.update(_SEAL.pack(seq, at, len(events), len(covers)))
    digest.update(covers)
    digest.update(canonical(events))
    return digest.digest()


class Signer:
    """Signs by the newest of some keys and verifies by all of them."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        keys = [Ed25519PrivateKey.from_private_bytes(secret) for secret in secrets]
        self._key = keys[0]
        self._public = {_id(key.public_key()): key.public_key() for key in keys}
        self.key_id = _id(self._key.public_key())

    def sign(self, hash: bytes) -> bytes:
        """Return the signature of a seal's hash."""
        return self._key.sign(_SIGNED + hash)

    def is_signed(self, hash: bytes, signature: bytes, key_id: str) -> bool:
        """Tell whether a signature of a seal's hash is by one of the keys."""
        key = self._public.get(key_id)
        if key is None:
            return False
        try:
            key.verify(signature, _SIGNED + hash)
        except InvalidSignature:
            return False
        return True

    def public_key(self) -> str:
        """Return the public key that signs now, as hexadecimal digits."""
        return _raw(self._key.public_key()).hex()


def _id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(_raw(key)).hexdigest()[:16]


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
