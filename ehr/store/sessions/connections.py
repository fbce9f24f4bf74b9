"""How each engine is connected to: settings that make writes durable and reads fast and bounded.

SQLite: WAL, `synchronous=FULL`. PostgreSQL: psycopg 3 in binary.
"""

import sqlite3
import time
from typing import Any

import psycopg
import sqlalchemy
from psycopg.types.numeric import Int8BinaryDumper
from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from ehr.store.sessions.time_limit import limit

READER = "ehr-read"
WRITER = "ehr-write"  # names the sessions that `feed.watermark` looks for
WRITE_TIMEOUT = 60  # seconds a write transaction may take
# Writes are a few texts with arrays of any length: planned once, they cost half. The plan must be
# right for tables of any size, for it is made when they are small and kept while they grow: rows
# are looked up by their keys, never by a scan (0.4 ms a statement at 2,500 rows, and more later).
_PLANS = (
    "-c plan_cache_mode=force_generic_plan "
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off "
)


def sqlite_engine(url: sqlalchemy.URL, pool_size: int, timeout: float | None = None) -> Engine:
    """Return an engine on an SQLite file, whose statements may take `timeout` seconds.

    Raises ValueError where the URL names no file.
    """
    if not url.database or url.database == ":memory:":
        raise ValueError("An SQLite record needs a file: sqlite:///path/to/ehr.db")
    engine = sqlalchemy.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size * 4,
        hide_parameters=True,  # they are record content
        connect_args={"check_same_thread": False, "timeout": WRITE_TIMEOUT},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun by name, in sqlite_writer.py
        _log_ahead(connection)
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
            "mmap_size=268435456",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        if timeout is not None:
            limit(connection, entry.info, timeout)

    return engine


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Have the file's journal in WAL; wait where another start is about to do the same.

    SQLite answers that with "locked" at once, whatever its timeout: the one who waits holds what
    the other needs.
    """
    patience = time.monotonic() + WRITE_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(0.01)
        else:
            return


def postgres_engine(
    url: sqlalchemy.URL, name: str, pool_size: int, timeout: float, patience: float | None = None
) -> Engine:
    """Return an engine whose sessions go by `name`; a statement may take `timeout` seconds, and
    wait for a lock `patience` seconds: without it, a third of that."""

    class BinaryCursor(psycopg.Cursor[Any]):
        """Bodies come as bytes, not as hexadecimal text."""

        def __init__(self, connection: Any, *, row_factory: Any = None) -> None:
            super().__init__(connection, row_factory=row_factory)
            self.format = psycopg.pq.Format.BINARY

    # To compile a plan takes longer than any statement of ours that is worth waiting for.
    plans = _PLANS if name == WRITER else "-c jit=off "
    waits = max(timeout / 3, 1) if patience is None else patience
    limits = f"-c statement_timeout={timeout * 1000:.0f}ms -c lock_timeout={waits * 1000:.0f}ms"
    engine = sqlalchemy.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        hide_parameters=True,  # they are record content
        isolation_level="AUTOCOMMIT",  # transactions are begun by name, in prepared.py
        connect_args={
            "application_name": name,
            "options": plans + limits,
            "cursor_factory": BinaryCursor,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # One type for all integers: a statement is prepared once, whatever the values.
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        connection.prepare_threshold = 2

    return engine
