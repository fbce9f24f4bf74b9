"""Whole tables as a stream, from one snapshot, on both engines: for export, copies and checks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from ehr.store.engine import Database, execute_raw, is_postgres
from ehr.store.sessions import prepared
from ehr.store.sessions.time_limit import unlimited

Row = tuple[Any, ...]
_SLICE = 5000


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """Give a connection that sees one committed state for as long as it is held."""
    with database.read() as connection, unlimited(connection.info):
        if is_postgres(connection):
            with prepared.snapshot(connection):
                yield connection
            return
        connection.exec_driver_sql("BEGIN")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")


def stream(
    connection: Connection, sql: str, parameters: Sequence[Any] = (), size: int = _SLICE
) -> Iterator[list[Row]]:
    """Yield the rows of a SELECT in slices; on PostgreSQL inside `snapshot` only.

    The text marks parameters as the engine does (`?` or `%b`).
    """
    if not is_postgres(connection):
        cursor = execute_raw(connection, sql, parameters)
        while rows := cursor.fetchmany(size):
            yield rows
        cursor.close()
        return
    execute_raw(connection, f"DECLARE slices NO SCROLL CURSOR FOR {sql}", parameters)
    try:
        while rows := execute_raw(connection, f"FETCH {int(size)} FROM slices").fetchall():
            yield rows
    finally:
        execute_raw(connection, "CLOSE slices")
