"""Connections kept ready: to check one out of SQLAlchemy's pool costs 54 µs."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ehr.store.sessions.failures import busy, is_lost, told

_PATIENCE = 30.0  # seconds one waits for a connection


class ReadyConnections:
    """Connections of one kind to one database, given out and taken back."""

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
        except BaseException as error:
            self._take_back(connection, error)
            raise
        self._idle.append(connection)

    def _ready(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            connection = self._engine.connect()
            # For SQLAlchemy one transaction without end, so that it ends none: real ones are
            # begun and ended by name.
            connection.begin()
            return connection

    def _take_back(self, connection: Connection, error: BaseException) -> None:
        if _is_sound(connection, error):
            self._idle.append(connection)
            return
        connection.invalidate()
        connection.close()
        if is_lost(error):
            self._forget_idle()

    def _forget_idle(self) -> None:
        """Let go of those that most likely lost the server too: nobody else has to find out."""
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


def _is_sound(connection: Connection, error: BaseException) -> bool:
    """Tell whether a connection may be used again: nothing of what failed is left on it."""
    if connection.invalidated:
        return False
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        return driver.info.transaction_status == TransactionStatus.IDLE
    return not isinstance(error, (DBAPIError, sqlite3.Error))
