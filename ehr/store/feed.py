"""The change feed: when each transaction committed, and up to where a reader has seen everything.

PostgreSQL: a transaction's `at` is taken after its xid, so every transaction that a reader can't
see yet has an `at` at or after the start of the oldest open writer: that is the watermark. Its
role must see the sessions of all writers: pg_read_all_stats, where they have several roles.
A poller that asks `_since` the watermark it was given never misses a change. `stamp` numbers
committed transactions densely in xid order behind the oldest open one of the whole server: a long
write in a neighbouring database delays numbers, never the watermark. SQLite has one writer at a
time: it stamps as it writes, and the watermark is the newest committed transaction.
"""

import time

from sqlalchemy import Connection, text

from ehr.messages import Instant
from ehr.store.engine import Database, is_postgres
from ehr.store.statements import query

# The generation of index definitions, read with what is asked anyway (`index_stamps.py`).
_GENERATION = (
    "CAST(coalesce((SELECT value FROM database_fact WHERE name = 'index_generation'), '0') "
    "AS integer)"
)
_OPEN_SQLITE = (
    "INSERT INTO txn (txn_id, at, xid, commit_seq) SELECT ?, "  # noqa: S608  a text of ours
    "max(?, coalesce((SELECT at FROM txn ORDER BY commit_seq DESC LIMIT 1), 0)), NULL, "
    "coalesce((SELECT max(commit_seq) FROM txn), 0) + 1 "
    f"RETURNING at, {_GENERATION}"
)
# The inner query takes the xid before the outer one reads the clock.
_OPEN_POSTGRES = (
    "INSERT INTO txn (txn_id, at, xid) "  # noqa: S608  as above
    "SELECT %b, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, x.xid "
    "FROM (SELECT pg_current_xact_id()::text::bigint AS xid OFFSET 0) AS x "
    f"RETURNING at, {_GENERATION}"
)
_STAMP = text(
    "WITH behind AS (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid), "
    "fresh AS (SELECT t.txn_id, row_number() OVER (ORDER BY t.xid, t.txn_id) "
    "+ coalesce((SELECT max(commit_seq) FROM txn), 0) AS seq FROM txn t, behind "
    "WHERE t.commit_seq IS NULL AND t.xid < behind.xid) "
    "UPDATE txn SET commit_seq = fresh.seq FROM fresh WHERE txn.txn_id = fresh.txn_id"
)
_STAMP_LOCK = 0x5CA1AB1E
_WATERMARK_POSTGRES = text(
    "SELECT least((extract(epoch FROM now()) * 1000)::bigint, (SELECT "
    "(extract(epoch FROM min(a.xact_start)) * 1000)::bigint FROM pg_stat_activity a "
    "WHERE a.application_name = 'ehr-write' AND a.datname = current_database()))"
)
_WATERMARK_SQLITE = text(
    "SELECT coalesce((SELECT at FROM txn ORDER BY commit_seq DESC LIMIT 1), 0)"
)


def open_txn(connection: Connection, txn_id: int) -> tuple[Instant, int]:
    """Write the row of this transaction; return its time, by the database's clock, and the
    generation of definitions that index rows have to be made by."""
    if is_postgres(connection):
        opened = query(connection, _OPEN_POSTGRES, (txn_id,))
    else:
        opened = query(connection, _OPEN_SQLITE, (txn_id, int(time.time() * 1000)))
    at, generation = opened[0]
    return at, generation


def watermark(connection: Connection) -> Instant:
    """Return the moment up to which, that included, every committed change can be read.

    Must be asked before the rows are read, in a statement of its own.
    """
    statement = _WATERMARK_POSTGRES if is_postgres(connection) else _WATERMARK_SQLITE
    moment: Instant = connection.execute(statement).scalar_one()
    return moment


def stamp(database: Database) -> int:
    """Number the committed transactions that have no number yet; return how many there were."""

    def work(connection: Connection) -> int:
        if not is_postgres(connection):
            return 0
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_STAMP_LOCK})"))
        return connection.execute(_STAMP).rowcount

    return database.write(work)
