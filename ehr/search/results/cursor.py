"""Cursors: where a page ended, sealed so that only its caller can go on from there.

FHIR R4 §3.1.1.5.6 (paging is by opaque links). A cursor holds the sort values of the row at the
edge, the walk's horizon and the total, encrypted: they may be record content, and links are logged.
It is bound to the caller, to the search and to the database's epoch, and it expires.
"""

import base64
import os
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ehr.errors import Gone, Invalid
from ehr.messages import Instant
from ehr.search.results.sort import SortValue

LIFETIME = 24 * 60 * 60 * 1000  # ms
_NONCE = 12
_LONGEST = 8_192


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Go on after the row with these sort values, or before it when backward.

    `wide`: the walk began with many matches, which decides how the next page is sorted.
    `estimated`: the total is a guess.
    """

    values: tuple[SortValue, ...]
    backward: bool
    mark: str
    epoch: str
    total: int | None
    issued: Instant
    wide: bool = False
    estimated: bool = False


def seal(cursor: Cursor, *, keys: Sequence[bytes], caller: str, search: bytes) -> str:
    """Return the cursor as text for a URL, under the first key."""
    nonce = os.urandom(_NONCE)
    sealed = _cipher(keys[0]).encrypt(nonce, msgspec.msgpack.encode(cursor), _bound(caller, search))
    return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def unseal(text: str, *, keys: Sequence[bytes], caller: str, search: bytes, now: Instant) -> Cursor:
    """Return the cursor; raise Invalid when it is not of this caller and search, Gone when old."""
    cursor = _open(text, keys, _bound(caller, search)) if len(text) <= _LONGEST else None
    if cursor is None:
        raise Invalid(
            "`_cursor` was not made for this search and this caller. Begin again without it, and "
            "follow the links of the answer as they are.",
            code="value",
        )
    if now >= cursor.issued + LIFETIME:
        raise expired()
    return cursor


def expired() -> Gone:
    """Return the refusal of a cursor whose walk can't go on."""
    return Gone(
        "This page is no longer available: its link has expired, or the record was restored since. "
        "Begin the search again.",
        code="processing",
    )


def _open(text: str, keys: Sequence[bytes], bound: bytes) -> Cursor | None:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    for key in keys:
        try:
            content = _cipher(key).decrypt(raw[:_NONCE], raw[_NONCE:], bound)
            return msgspec.msgpack.decode(content, type=Cursor)
        except (InvalidTag, ValueError):
            continue
    return None


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(sha256(b"search cursor\0" + key).digest())


def _bound(caller: str, search: bytes) -> bytes:
    return sha256(caller.encode() + b"\0" + search).digest()
