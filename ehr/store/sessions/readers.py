"""Connections for reading, kept ready: to check one out of SQLAlchemy's pool costs 54 µs."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ehr.store.sessions.failures import busy, is_lost, told

_PATIENCE = 30.0  # seconds a read waits for a connection


class Readers:
    """The reading connections of one database; each statement sees what is committed."""

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._idle: list[Connection] = []
        self._free = threading.Semaphore(most)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give a connection until the block ends. Raises Busy where none comes free."""
        if not self._free.acquire(timeout=_PATIENCE):
            raise busy()
        try:
            with self._one() as connection:
                yield connection
        finally:
            self._free.release()

    @contextmanager
    def _one(self) -> Iterator[Connection]:
        try:
            connection = self._ready()
        except DBAPIError as error:
            raise told(error) from error
        try:
            yield connection
        except (DBAPIError, psycopg.Error, sqlite3.Error) as error:
            # It may be broken; the next read opens another.
            connection.invalidate()
            connection.close()
            if is_lost(error):
                self._forget_idle()
            raise told(error) from error
        except BaseException:
            self._idle.append(connection)
            raise
        self._idle.append(connection)

    def _ready(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()

    def _forget_idle(self) -> None:
        """Let go of readers that most likely lost the server too: nobody else has to find out."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                connection.invalidate()
                connection.close()

    def close(self) -> None:
        """Give all connections back."""
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()
