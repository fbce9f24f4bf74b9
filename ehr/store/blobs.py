"""Large content of Binaries, in chunks beside the record (ehr/README.md, *Large bodies*; R4 §2.33).

Content is staged in short transactions before the write that needs it, and linked inside that
write: one that fails, or never comes, leaves an orphan that `sweep` removes after an hour. Chunks
never change, so they can be streamed one statement at a time. Each version names its own content,
so deleting a Binary keeps what earlier versions hold.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from ehr.errors import Conflict
from ehr.messages import Instant
from ehr.store.engine import Database
from ehr.store.facts import fact, keep_fact
from ehr.store.tables import blob, blob_chunk

# Content up to this size stays in the body of its version.
INLINE = 64 * 1024
CHUNK = 256 * 1024
# Chunks of one staging transaction: short enough to let other writers in between.
_TOGETHER = 8
ORPHAN_AGE = 60 * 60 * 1000  # ms
_SWEPT = "blobs-swept"


@dataclass(frozen=True, slots=True)
class Blob:
    """Content that is kept in chunks, and the key it lies under."""

    patient_key: int
    blob_id: str
    size: int
    sha256: str


def digest(content: bytes) -> str:
    """Return what tells whether content is the same, and unharmed."""
    return sha256(content).hexdigest()


def stage(database: Database, patient_key: int, content: bytes, *, now: Instant) -> Blob:
    """Store content under a key, not linked to anything yet, and return what it is."""
    staged = Blob(patient_key, secrets.token_hex(16), len(content), digest(content))

    def begin(connection: Connection) -> None:
        connection.execute(
            insert(blob).values(
                patient_key=patient_key,
                blob_id=staged.blob_id,
                size=staged.size,
                sha256=staged.sha256,
                created=now,
                linked=False,
            )
        )
        _insert_chunks(staged, content, 0, connection)

    database.write(begin)
    for first in range(_TOGETHER, -(-len(content) // CHUNK), _TOGETHER):
        database.write(partial(_insert_chunks, staged, content, first))
    return staged


def _insert_chunks(staged: Blob, content: bytes, first: int, connection: Connection) -> None:
    """Insert the chunks of one transaction, beginning with number `first`."""
    last = min(first + _TOGETHER, -(-len(content) // CHUNK))
    connection.execute(
        insert(blob_chunk),
        [
            {
                "patient_key": staged.patient_key,
                "blob_id": staged.blob_id,
                "n": n,
                "data": content[n * CHUNK : (n + 1) * CHUNK],
            }
            for n in range(first, last)
        ],
    )


def link(connection: Connection, staged: Sequence[tuple[Blob, int]]) -> None:
    """Make staged content part of the record; each is to lie under the key beside it.

    Inside the write whose versions name it. Raises Conflict where it was swept meanwhile.
    """
    if not staged:
        return
    statement = (
        update(blob)
        .where(
            blob.c.patient_key.in_(sorted({one.patient_key for one, _ in staged})),
            blob.c.blob_id.in_([one.blob_id for one, _ in staged]),
        )
        .values(linked=True)
    )
    if connection.execute(statement).rowcount != len(staged):
        raise Conflict("The upload took too long and was given up. Send it again.")
    moves: dict[tuple[int, int], list[str]] = {}
    for one, patient_key in staged:
        if one.patient_key != patient_key:
            moves.setdefault((one.patient_key, patient_key), []).append(one.blob_id)
    for (old, new), names in moves.items():
        move(connection, names, old, new)


def move(connection: Connection, names: Sequence[str], old: int, new: int) -> None:
    """Bring content from one key under another: copied and deleted, as a key never changes."""
    for table in (blob, blob_chunk):
        columns = [
            literal(new).label("patient_key") if column.name == "patient_key" else column
            for column in table.columns
        ]
        rows = select(*columns).where(table.c.patient_key == old, table.c.blob_id.in_(names))
        connection.execute(insert(table).from_select([c.name for c in table.columns], rows))
        gone = and_(table.c.patient_key == old, table.c.blob_id.in_(names))
        connection.execute(delete(table).where(gone))


def find(connection: Connection, patient_key: int, blob_id: str) -> Blob | None:
    """Return what is known of content, or None."""
    row = connection.execute(
        select(blob.c.size, blob.c.sha256).where(
            blob.c.patient_key == patient_key, blob.c.blob_id == blob_id
        )
    ).first()
    return None if row is None else Blob(patient_key, blob_id, row.size, row.sha256)


def chunks(database: Database, content: Blob) -> Iterator[bytes]:
    """Yield the content chunk by chunk; no connection is held while a slow reader takes one."""
    patient_key = content.patient_key
    for n in range(-(-content.size // CHUNK)):
        data = _chunk(database, patient_key, content.blob_id, n)
        if data is None:
            # Filed under its patient since the last chunk: the one move there is.
            patient_key = _key_of(database, content.blob_id)
            data = _chunk(database, patient_key, content.blob_id, n)
        if data is None:
            raise LookupError(f"chunk {n} of blob {content.blob_id} is missing")
        yield data


def whole(database: Database, content: Blob) -> bytes:
    """Return all of the content at once."""
    return b"".join(chunks(database, content))


def _chunk(database: Database, patient_key: int, blob_id: str, n: int) -> bytes | None:
    with database.read() as connection:
        return chunk_at(connection, patient_key, blob_id, n)


def chunk_at(connection: Connection, patient_key: int, blob_id: str, n: int) -> bytes | None:
    """Return one chunk, or None where it is missing."""
    data: bytes | None = connection.execute(
        select(blob_chunk.c.data).where(
            blob_chunk.c.patient_key == patient_key,
            blob_chunk.c.blob_id == blob_id,
            blob_chunk.c.n == n,
        )
    ).scalar()
    return data


def count_chunks(connection: Connection, patient_key: int, blob_id: str) -> int:
    """Return how many chunks there are of some content."""
    here = (blob_chunk.c.patient_key == patient_key) & (blob_chunk.c.blob_id == blob_id)
    return connection.execute(select(func.count()).select_from(blob_chunk).where(here)).scalar_one()


def _key_of(database: Database, blob_id: str) -> int:
    with database.read() as connection:
        key: int | None = connection.execute(
            select(blob.c.patient_key).where(blob.c.blob_id == blob_id)
        ).scalar()
    if key is None:
        raise LookupError(f"blob {blob_id} is missing")
    return key


def sweep(database: Database, *, now: Instant) -> int:
    """Remove content staged over an hour ago and never linked; return how many there were."""
    old = and_(blob.c.linked.is_(False), blob.c.created < now - ORPHAN_AGE)
    with database.read() as connection:
        found = connection.execute(select(blob.c.patient_key, blob.c.blob_id).where(old)).all()

    return sum(database.write(partial(_remove, key, blob_id, old)) for key, blob_id in found)


def _remove(
    patient_key: int, blob_id: str, old: ColumnElement[bool], connection: Connection
) -> int:
    this = and_(blob.c.patient_key == patient_key, blob.c.blob_id == blob_id)
    # Asked again: a write may have linked it since, and then it stays.
    if connection.execute(delete(blob).where(this, old)).rowcount == 0:
        return 0
    chunks_of_it = and_(blob_chunk.c.patient_key == patient_key, blob_chunk.c.blob_id == blob_id)
    connection.execute(delete(blob_chunk).where(chunks_of_it))
    return 1


def sweep_if_due(database: Database, *, now: Instant) -> int:
    """Sweep where nobody did within the last hour; return how many orphans there were."""
    with database.read() as connection:
        swept = fact(connection, _SWEPT)
    if swept is not None and now - ORPHAN_AGE < int(swept) <= now:
        return 0
    database.write(lambda connection: keep_fact(connection, _SWEPT, str(now)))
    return sweep(database, now=now)
