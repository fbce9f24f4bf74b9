"""Seals and what waits for one, in SQL."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from sqlalchemy import Connection, func, insert, select, text

from ehr.audit.chain import Range, Seal
from ehr.audit.event import Values
from ehr.store.engine import is_postgres
from ehr.store.insert import delete_rows
from ehr.store.scan import stream
from ehr.store.tables import audit_batch, audit_event, audit_seal
from ehr.store.templates import rows_of

_LOCK = 0x5EA1
_BATCHES = 1_000
_AT_ONCE = 5_000  # rows of one seal, but for a batch that is larger


def head(connection: Connection) -> Seal | None:
    """Return the newest seal, None before the first."""
    found = rows_of(connection, select(audit_seal).order_by(audit_seal.c.seq.desc()).limit(1))
    return _seal(found[0]) if found else None


def seal_at(connection: Connection, seq: int) -> Seal | None:
    """Return the seal with this number, None where there is none."""
    found = rows_of(connection, select(audit_seal).where(audit_seal.c.seq == seq))
    return _seal(found[0]) if found else None


def after(connection: Connection, seq: int, limit: int) -> list[Seal]:
    """Return the seals that follow this number, in their order."""
    asked = select(audit_seal).where(audit_seal.c.seq > seq).order_by(audit_seal.c.seq)
    return [_seal(row) for row in rows_of(connection, asked.limit(limit))]


def _seal(row: Sequence[object]) -> Seal:
    values = [bytes(one) if isinstance(one, memoryview | bytearray) else one for one in row]
    return Seal(*values)  # type: ignore[arg-type]  # columns in the order of its fields


def pending(connection: Connection) -> list[Range]:
    """Return the batches that the next seal takes: committed, unsealed, not too many at once."""
    c = audit_batch.c
    asked = select(c.writer, c.epoch, c.first_n, c.last_n).order_by(c.writer, c.epoch, c.first_n)
    found: list[Range] = []
    size = 0
    for row in rows_of(connection, asked.limit(_BATCHES)):
        batch = Range(*row)
        if found and size + batch.size > _AT_ONCE:
            break
        found.append(batch)
        size += batch.size
    return found


def all_pending(connection: Connection) -> Iterator[list[Range]]:
    """Yield all batches that wait for a seal, in their order; inside a snapshot only."""
    sql = "SELECT writer, epoch, first_n, last_n FROM audit_batch ORDER BY writer, epoch, first_n"
    for rows in stream(connection, sql):
        yield [Range(*row) for row in rows]


def count_rows(connection: Connection) -> int:
    """Return how many rows there are."""
    return int(connection.execute(select(func.count()).select_from(audit_event)).scalar_one())


def events_in(connection: Connection, ranges: Sequence[Range]) -> list[Values]:
    """Return the events of these sorted ranges that are there, in the order of the ranges."""
    c = audit_event.c
    found: list[Values] = []
    for _, some in groupby(ranges, _read_together):
        parts = list(some)
        first, last = parts[0], parts[-1]
        asked = select(audit_event).where(
            c.writer == first.writer, c.epoch.between(first.epoch, last.epoch)
        )
        if first.epoch == last.epoch:
            asked = asked.where(c.n.between(first.first, last.last))
        wanted = {one.epoch: one for one in parts}
        for row in rows_of(connection, asked.order_by(c.epoch, c.n)):
            part = wanted.get(row[1])
            if part is not None and part.first <= row[2] <= part.last:
                found.append(tuple(row))
    return found


def _read_together(one: Range) -> tuple[int, ...]:
    """Return what ranges have in common that one statement reads.

    Of rows in transactions of others each epoch is a few: those of 64 epochs are read at once.
    """
    if one.writer < 0 and one.first == 1:
        return (one.writer, one.epoch >> 6)
    return (one.writer, one.epoch, one.first, one.last)


def put(connection: Connection, seal: Seal, batches: Sequence[Range]) -> bool:
    """Add a seal behind the one it names, and let its batches go; False where it is too late."""
    if is_postgres(connection):
        locked = text(f"SELECT pg_try_advisory_xact_lock({_LOCK})")
        if not connection.execute(locked).scalar():
            return False
    newest = connection.execute(select(func.max(audit_seal.c.seq))).scalar() or 0
    if newest != seal.seq - 1:
        return False
    values = {name: getattr(seal, name) for name in Seal.__slots__}
    connection.execute(insert(audit_seal).values(**values))
    delete_rows(connection, {audit_batch: [(b.writer, b.epoch, b.first) for b in batches]})
    return True
