"""The ids of Provenance that the record tells by itself: of which version, for our eyes only.

Keys and rids say how many patients and resources there are, so that they are sealed: the same
version has the same id for ever, and nobody makes one up (synthetic IV: the mask is made from a
keyed digest of what is masked, which is checked when it is opened).
"""

import base64
import binascii
import struct
from hashlib import blake2b
from hmac import compare_digest

from ehr.messages import Interaction

PREFIX = "auto-"
_PLACE = struct.Struct(">qqi")  # patient_key, rid, version
_TAG = 8


def is_told(interaction: Interaction) -> bool:
    """Tell whether an address is that of a Provenance of ours."""
    return interaction.type == "Provenance" and (interaction.id or "").startswith(PREFIX)


def sealed(secret: bytes, place: tuple[int, int, int]) -> str:
    """Return the id of the Provenance of the version at (patient_key, rid, version)."""
    plain = _PLACE.pack(*place)
    tag = _digest(secret, b"tag", plain, _TAG)
    text = base64.b32encode(tag + _masked(secret, tag, plain)).decode()
    return PREFIX + text.rstrip("=").lower()


def opened(secret: bytes, id: str) -> tuple[int, int, int] | None:
    """Return the place of the version that an id is about, None where it is none of ours."""
    text = id.removeprefix(PREFIX).upper()
    try:
        octets = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    tag, masked = octets[:_TAG], octets[_TAG:]
    if not id.startswith(PREFIX) or len(masked) != _PLACE.size:
        return None
    plain = _masked(secret, tag, masked)
    if not compare_digest(tag, _digest(secret, b"tag", plain, _TAG)):
        return None
    key, rid, version = _PLACE.unpack(plain)
    return key, rid, version


def _masked(secret: bytes, tag: bytes, text: bytes) -> bytes:
    mask = _digest(secret, b"mask", tag, len(text))
    return bytes(one ^ other for one, other in zip(text, mask, strict=True))


def _digest(secret: bytes, what: bytes, text: bytes, size: int) -> bytes:
    return blake2b(text, digest_size=size, key=secret[:64], person=b"ehr " + what).digest()
