"""Connections to SQLite and PostgreSQL: reads from a pool, writes one transaction at a time.

Knows, with `tables.py` and `insert.py`, which engine it speaks to. SQLite: WAL,
`synchronous=FULL`, all writes of a process through one thread (`writer.py`). PostgreSQL: READ
COMMITTED, psycopg 3 in binary, conflicts retried a bounded number of times.
"""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ehr.errors import Busy, Conflict, Invalid, TooCostly
from ehr.store import facts, keys
from ehr.store import migrate as migrations
from ehr.store.allocate import Allocator
from ehr.store.bodies import CURRENT_DICTIONARY, Compressor
from ehr.store.connections import (
    READER,
    WRITE_TIMEOUT,
    WRITER,
    postgres_engine,
    sqlite_engine,
)
from ehr.store.drafts import LostRace
from ehr.store.hashing import Hasher
from ehr.store.writer import Writer

T = TypeVar("T")
Observer = Callable[[str], None]
DriverError = DBAPIError  # for edges that tell of it and must not know SQLAlchemy

NO_ORGANISATION = -1  # the key of unfiled rows of callers without an organisation
_PATIENCE = 30.0  # seconds a read waits for a connection
_ATTEMPTS = 8
# serialization failure, deadlock, lock timeout, unique violation (a race lost: look again)
_RETRIED = {"40001", "40P01", "55P03", "23505"}
# no connection at all, stopped, fell, starting or recovering
_GONE = {None, "57P01", "57P02", "57P03"}


class OutdatedSchema(Exception):
    """The database has another schema than this release needs."""


class Database:
    """One database, opened. Reads run in autocommit; `write` gives one atomic transaction."""

    def __init__(
        self, url: str, *, secret: str = "", pool_size: int = 20, timeout: float = WRITE_TIMEOUT
    ) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self._secret = secret
        self._observers: list[Observer] = []
        self._local = threading.local()
        self._idle: list[Connection] = []
        # As many as the pool gives out: who waits for a reader waits here, where readers come back.
        self._readers = threading.Semaphore(pool_size * 2)
        self._secrets: dict[str, bytes] = {}
        self._unfiled: dict[str | None, int] = {None: NO_ORGANISATION}
        if self.dialect == "sqlite":
            self._reader = sqlite_engine(self.url, pool_size)
            self._writer_engine = sqlite_engine(self.url, 1)
            self._writer: Writer | None = Writer(self._writer_engine, Path(self.url.database or ""))
        elif self.dialect == "postgresql":
            self._reader = postgres_engine(self.url, READER, pool_size, timeout)
            self._reader = self._reader.execution_options(isolation_level="AUTOCOMMIT")
            self._writer_engine = postgres_engine(self.url, WRITER, pool_size, timeout)
            self._writer = None
        else:
            raise ValueError(
                f"Database URL scheme {self.dialect!r} is not supported; use sqlite:/// or postgresql://"
            )
        self.allocator = Allocator(self)
        for engine in (self._reader, self._writer_engine):
            event.listen(engine, "before_cursor_execute", self._announce)

    @cached_property
    def hasher(self) -> Hasher:
        """Return the hasher under this database's own key."""
        return Hasher(self.secret("hash"))

    @cached_property
    def compressor(self) -> Compressor:
        """Return the compressor with this database's dictionaries, the shipped one kept there."""
        with self.read() as connection:
            known = facts.dictionaries(connection)
        if CURRENT_DICTIONARY not in known:
            known = self.write(facts.keep_dictionary)
        return Compressor(known)

    @cached_property
    def epoch(self) -> str:
        """Return the text that cursors are bound to; it changes when a database is restored."""
        with self.read() as connection:
            known = facts.epoch(connection)
        return known or self.write(facts.keep_epoch)

    def own_bases(self, *more: str) -> tuple[str, ...]:
        """Return the addresses of this record, with these among them from now on."""
        with self.read() as connection:
            known = facts.own_bases(connection)
        for url in more:
            if url and url not in known:
                self.write(partial(facts.keep_own_base, url=url))
                known += (url,)
        return known

    def unfiled_key(self, organisation: str | None) -> int:
        """Return the negative key under which an organisation's unfiled rows are kept."""
        key = self._unfiled.get(organisation)
        if key is None:
            with self.read() as connection:
                key = facts.unfiled_key(connection, organisation)
            if key is None:
                fresh = -1 - self.allocator.reserve("unfiled", 1)[0]
                key = self.write(lambda c: facts.keep_unfiled_key(c, organisation, fresh))
            self._unfiled[organisation] = key
        return key

    def secret(self, purpose: str) -> bytes:
        """Return the newest key of a purpose from the key ring, made on first use."""
        known = self._secrets.get(purpose)
        if known is None:
            with self.read() as connection:
                known = keys.newest(connection, purpose, self._secret)
            known = known or self.write(lambda c: keys.ensure(c, purpose, self._secret))
            self._secrets[purpose] = known
        return known

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading; every statement sees what is committed."""
        joined: Connection | None = getattr(self._local, "joined", None)
        if joined is not None:
            yield joined
            return
        if not self._readers.acquire(timeout=_PATIENCE):
            raise _busy()
        try:
            with self._reader_of_its_own() as connection:
                yield connection
        finally:
            self._readers.release()

    @contextmanager
    def _reader_of_its_own(self) -> Iterator[Connection]:
        try:
            connection = self._reading()
        except DBAPIError as error:
            raise _told(error) from error
        try:
            yield connection
        except (DBAPIError, psycopg.Error, sqlite3.Error) as error:
            # It may be broken; the next read opens another.
            connection.invalidate()
            connection.close()
            if _is_lost(error):
                self._forget_idle()
            raise _told(error) from error
        except BaseException:
            self._idle.append(connection)
            raise
        self._idle.append(connection)

    def _reading(self) -> Connection:
        """Return a connection that is ready: to check one out of the pool costs 54 µs."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._own(self._reader.connect())

    def _forget_idle(self) -> None:
        """Let go of readers that most likely lost the server too: nobody else has to find out."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                connection.invalidate()
                connection.close()

    @contextmanager
    def joined(self, connection: Connection) -> Iterator[None]:
        """Let this thread's reads meanwhile see what a write transaction has done so far."""
        self._local.joined = connection
        try:
            yield
        finally:
            self._local.joined = None

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and return what it returns, once that is durable."""
        if getattr(self._local, "joined", None) is not None:
            raise Invalid(
                "This can't be part of a transaction. Send it by itself or in a batch.",
                code="not-supported",
            )
        if self._writer is not None:
            return self._write_in_turn(self._writer, work)
        for attempt in range(_ATTEMPTS):
            try:
                with self._writer_engine.begin() as connection:
                    return work(self._own(connection))
            except LostRace:
                pass
            except PoolTimeout:
                raise _busy() from None
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _RETRIED:
                    raise _told(error) from error
            except psycopg.Error as error:
                if error.sqlstate not in _RETRIED:
                    raise _told(error) from error
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  no secret: jitter
        raise _collided()

    def _write_in_turn(self, writer: Writer, work: Callable[[Connection], T]) -> T:
        try:
            return writer.run(lambda connection: work(self._own(connection)))
        except LostRace:
            raise _collided() from None

    def _own(self, connection: Connection) -> Connection:
        connection.info["database"] = self
        return connection

    @contextmanager
    def _observed(self, callback: Observer) -> Iterator[None]:
        self._observers.append(callback)
        try:
            yield
        finally:
            self._observers.remove(callback)

    def observe(self, callback: Observer) -> AbstractContextManager[None]:
        """Call `callback` with every SQL text that runs meanwhile, in whatever thread."""
        return self._observed(callback)

    def announce(self, sql: str) -> None:
        """Tell the observers of a statement that a raw cursor runs."""
        for observer in self._observers:
            observer(sql)

    def _announce(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if self._observers:
            self.announce(statement)

    def close(self) -> None:
        """Finish waiting writes and give all connections back."""
        if self._writer is not None:
            self._writer.close()
        while self._idle:
            self._idle.pop().close()
        self._reader.dispose()
        self._writer_engine.dispose()


def open_database(
    url: str,
    *,
    secret: str = "",
    migrate: bool = False,
    pool_size: int = 20,
    timeout: float = WRITE_TIMEOUT,
) -> Database:
    """Open a database; `migrate` brings its schema up to date first.

    Raises OutdatedSchema where the schema is not the one this release needs.
    """
    database = Database(url, secret=secret, pool_size=pool_size, timeout=timeout)
    if migrate:
        database.write(migrations.upgrade)
    with database.read() as connection:
        found, needed = migrations.current_revision(connection), migrations.newest_revision()
    if found != needed:
        database.close()
        raise OutdatedSchema(
            f"The database is at schema {found or 'none'}, this release needs {needed}. "
            "Run: ehr db upgrade"
        )
    # Made now: a write may not start another write to make them.
    _ = database.hasher, database.compressor, database.epoch, database.secret("cursor")
    return database


def of(connection: Connection) -> Database:
    """Return the database a connection belongs to."""
    database: Database = connection.info["database"]
    return database


def is_postgres(connection: Connection) -> bool:
    """Tell whether a connection speaks to PostgreSQL."""
    return connection.dialect.name == "postgresql"


def execute_raw(connection: Connection, sql: str, parameters: Any = ()) -> Any:
    """Run a hot statement on the driver's own cursor and return that cursor."""
    database = of(connection)
    if database._observers:
        database.announce(sql)
    cursor = connection.connection.cursor()
    cursor.execute(sql, parameters)
    return cursor


def _busy() -> Busy:
    return Busy("All connections to the database are in use. Send the request again later.")


def _collided() -> Conflict:
    return Conflict(
        "The change kept colliding with other changes. Send it again.", code="transient"
    )


def _told(error: Exception) -> Exception:
    """Return what a caller is told of a driver's error: the error itself where it is a fault."""
    cause = getattr(error, "orig", error)
    state = getattr(cause, "sqlstate", None)
    if state == "57014":
        return TooCostly("That took longer than the time limit. Ask for less at once.")
    if _is_lost(error):
        return Busy("The database went away. Send the request again in a moment.")
    return error


def _is_lost(error: Exception) -> bool:
    """Tell whether PostgreSQL was stopped, fell, recovers or can't be reached."""
    cause = getattr(error, "orig", error)
    state = getattr(cause, "sqlstate", None)
    return isinstance(cause, psycopg.OperationalError) and state in _GONE
