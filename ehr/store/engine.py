"""Connections to SQLite and PostgreSQL: reads from a pool, writes one transaction at a time.

Knows, with `tables/` and `insert.py`, which engine it speaks to; `sessions/` has what each needs:
SQLite one writing thread in each process, PostgreSQL writers side by side.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from ehr.errors import Invalid
from ehr.store import facts, keys
from ehr.store.allocate import Allocator
from ehr.store.bodies import CURRENT_DICTIONARY, Compressor
from ehr.store.hashing import Hasher
from ehr.store.sessions.connections import (
    READER,
    WRITE_TIMEOUT,
    WRITER,
    postgres_engine,
    sqlite_engine,
)
from ehr.store.sessions.gathering import Part
from ehr.store.sessions.postgres_writer import PostgresWriter, WriteParts
from ehr.store.sessions.readers import Readers
from ehr.store.sessions.sqlite_writer import SqliteWriter
from ehr.store.sessions.time_limit import begin_statement
from ehr.store.trace import note

T = TypeVar("T")
Observer = Callable[[str], None]
Writer = SqliteWriter | PostgresWriter
DriverError = DBAPIError  # for edges that tell of it and must not know SQLAlchemy

NO_ORGANISATION = -1  # the key of unfiled rows of callers without an organisation
_PATIENCE = 0.1  # seconds that a transaction of several callers waits for a lock


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
        self._secrets: dict[str, bytes] = {}
        self._unfiled: dict[str | None, int] = {None: NO_ORGANISATION}
        self.is_new = False  # its schema was made when it was opened
        self.patient_keys: dict[str, int] = {}  # of patients whose own apps ask, by id
        self.scopes: dict[Hashable, Any] = {}  # what callers see, see `ehr/access/scope.py`
        self.directory: dict[Any, Any] = {}  # who callers are, see `ehr/access/callers/`
        # SQL that is made once, by what it depends on: see `ehr/search/plan/shapes.py`.
        self.shapes: dict[Hashable, Any] = {}
        self._closing: list[Callable[[], None]] = []
        if self.dialect == "sqlite":
            reading = sqlite_engine(self.url, pool_size, timeout)
            writing = sqlite_engine(self.url, 1)
            file = Path(self.url.database or "")
            self._writer: Writer = SqliteWriter(self._watched(writing), file)
        elif self.dialect == "postgresql":
            reading = postgres_engine(self.url, READER, pool_size, timeout)
            reading = reading.execution_options(isolation_level="AUTOCOMMIT")
            writing = postgres_engine(self.url, WRITER, pool_size, timeout)
            shared = postgres_engine(self.url, WRITER, 1, timeout, _PATIENCE)
            self._writer = PostgresWriter(
                self._watched(writing), self._watched(shared), pool_size * 2
            )
        else:
            raise ValueError(
                f"Database URL scheme {self.dialect!r} is not supported; use sqlite:/// or postgresql://"
            )
        # As many as the pool gives out: who waits for one waits where they come back.
        self._readers = Readers(self._watched(reading), pool_size * 2)
        self.allocator = Allocator(self)

    def _watched(self, engine: Engine) -> Engine:
        """Let every connection know its database, and observers every statement."""

        def adopt(_driver_connection: Any, entry: ConnectionPoolEntry) -> None:
            entry.info["database"] = self

        event.listen(engine, "connect", adopt)
        event.listen(engine, "before_cursor_execute", self._announce)
        return engine

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

    def secrets(self, purpose: str) -> tuple[bytes, ...]:
        """Return all keys of a purpose from the key ring, the newest first."""
        with self.read() as connection:
            return keys.every(connection, purpose, self._secret)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading; every statement sees what is committed."""
        joined: Connection | None = getattr(self._local, "joined", None)
        if joined is not None:
            yield joined
            return
        with self._readers.connection() as connection:
            yield connection

    @contextmanager
    def joined(self, connection: Connection) -> Iterator[None]:
        """Let this thread's reads meanwhile see what a write transaction has done so far."""
        self._local.joined = connection
        try:
            yield
        finally:
            self._local.joined = None

    @property
    def is_joined(self) -> bool:
        """Tell whether this thread's reads see what a transaction may still take back."""
        return getattr(self._local, "joined", None) is not None

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and return what it returns, once that is durable."""
        self._refuse_joined()
        return self._writer.run(work)

    def write_shared(
        self, work: Callable[[Connection], T], part: Part, write_parts: WriteParts
    ) -> T:
        """Run `work` like `write`, or in its place do what `part` says together with other parts.

        `write_parts` writes the parts of several callers in one transaction.
        """
        self._refuse_joined()
        return self._writer.run_shared(work, part, write_parts)

    def _refuse_joined(self) -> None:
        if self.is_joined:
            raise Invalid(
                "This can't be part of a transaction. Send it by itself or in a batch.",
                code="not-supported",
            )

    @contextmanager
    def observe(self, callback: Observer) -> Iterator[None]:
        """Call `callback` with every SQL text that runs meanwhile, in whatever thread."""
        self._observers.append(callback)
        try:
            yield
        finally:
            self._observers.remove(callback)

    def announce(self, sql: str) -> None:
        """Tell the observers of a statement that a raw cursor runs."""
        for observer in self._observers:
            observer(sql)

    def _announce(
        self, connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> None:
        info = connection.info
        begin_statement(info)
        note(info, statement, parameters)
        if self._observers:
            self.announce(statement)

    def before_close(self, work: Callable[[], None]) -> None:
        """Have something done while there still is a connection, once: what ends with this."""
        self._closing.append(work)

    def close(self) -> None:
        """Finish waiting writes and give all connections back."""
        while self._closing:
            self._closing.pop()()
        self._writer.close()
        self._readers.close()


def of(connection: Connection) -> Database:
    """Return the database a connection belongs to."""
    database: Database = connection.info["database"]
    return database


def is_postgres(connection: Connection) -> bool:
    """Tell whether a connection speaks to PostgreSQL."""
    return connection.dialect.name == "postgresql"


def execute_raw(connection: Connection, sql: str, parameters: Any = ()) -> Any:
    """Run a hot statement on the driver's own cursor and return that cursor."""
    info = connection.info
    begin_statement(info)
    note(info, sql, parameters)
    database: Database = info["database"]
    if database._observers:
        database.announce(sql)
    cursor = connection.connection.cursor()
    cursor.execute(sql, parameters)
    return cursor
