"""Criteria locks: conditional writes on the same criteria take turns (ehr/README.md, *Races*).

A lock is a row that its own transaction takes away again, so a waiting one goes on when the first
commits, and nothing is left behind. SQLite writes one after another and needs none.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from ehr.store.engine import is_postgres, of
from ehr.store.statements import query

_TAKE = "INSERT INTO criteria_lock (hash) SELECT * FROM unnest(%b::bigint[])"
_RELEASE = "DELETE FROM criteria_lock WHERE hash = ANY(%b::bigint[])"


def take(connection: Connection, texts: Iterable[str]) -> list[int]:
    """Wait for and hold the locks of these texts, in one global order; return what to release."""
    if not is_postgres(connection):
        return []
    hasher = of(connection).hasher
    hashes = sorted({hasher.once(text) for text in texts})
    if hashes:
        query(connection, _TAKE, (hashes,))
    return hashes


def release(connection: Connection, hashes: list[int]) -> None:
    """Take the lock rows away; they keep others waiting until this transaction ends."""
    if hashes:
        query(connection, _RELEASE, (hashes,))
