"""Connections for reading: who uses one is told of errors in the record's own words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ehr.store.sessions.failures import told
from ehr.store.sessions.ready import ReadyConnections


class Readers(ReadyConnections):
    """The reading connections of one database; each statement sees what is committed."""

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give a connection until the block ends. Raises Busy, TooCostly."""
        try:
            with super().connection() as connection:
                yield connection
        except (DBAPIError, psycopg.Error, sqlite3.Error) as error:
            raise told(error) from error
