"""PostgreSQL databases that tests take turns on, equal to a copy of the run's template each time.

Copying a template costs the server 160 ms, deleting the few rows that a test leaves 2 ms: so a
database goes back to the worker's pool when its test ends. One that a test changed in another way
(its schema, keys or statistics, many rows, a session that stays) is dropped instead.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Identifier

_RELATIONS = "FROM pg_class WHERE relnamespace = 'public'::regnamespace"
_SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
AND datname = current_database() AND pid <> pg_backend_pid()"""
_GROWN = 4 << 20  # dead rows are not swept up: a database goes before they slow its tests
_PATIENCE = 1.0  # seconds for the server to end the sessions that the test has closed


@dataclass(frozen=True, slots=True)
class _Start:
    """What a copy of the template has before its test."""

    relations: int
    size: int
    empty: tuple[str, ...]
    filled: dict[str, list[str]]  # digests of the rows


# template -> its start, and the databases that no test has now; of this worker
_starts: dict[str, _Start] = {}
_free: dict[str, list[str]] = {}


@contextmanager
def borrowed(server: str, template: str) -> Iterator[str]:
    """Give the URL of a database that equals the template, for the length of a block."""
    free = _free.setdefault(template, [])
    name = free.pop() if free else _copied(server, template)
    try:
        yield in_database(server, name)
    finally:
        if _emptied(in_database(server, name), _starts[template]):
            free.append(name)
        else:
            execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def drop_all(server: str, template: str) -> None:
    """Drop a template and its copies, where the server outlives the run."""
    with psycopg.connect(server, autocommit=True) as connection:
        found = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in connection.execute(found, [template]).fetchall():
            drop = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
            connection.execute(drop)


def execute(server: str, statement: str) -> None:
    """Run one statement outside of a transaction."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


def in_database(server: str, name: str) -> str:
    """Return the URL of a database of the server."""
    from sqlalchemy.engine import make_url

    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _copied(server: str, template: str) -> str:
    name = f"{template}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        # Without the log, which nobody will read, it costs a third.
        how = " STRATEGY = FILE_COPY" if connection.info.server_version >= 150000 else ""
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{how}".encode())
    if template not in _starts:
        with psycopg.connect(in_database(server, name)) as connection:
            _starts[template] = _start(connection)
    return name


def _start(connection: psycopg.Connection) -> _Start:
    tables = [
        table
        for (table,) in connection.execute(
            f"SELECT relname {_RELATIONS} AND relkind = 'r' ORDER BY relname".encode()
        )
    ]
    rows = {table: _rows(connection, table) for table in tables}
    empty = tuple(table for table in tables if not rows[table])
    filled = {table: some for table, some in rows.items() if some}
    return _Start(*_extent(connection), empty, filled)


def _rows(connection: psycopg.Connection, table: str) -> list[str]:
    """Return digests of the rows of a table."""
    asked = SQL("SELECT md5(t::text) FROM {} t ORDER BY 1").format(Identifier(table))
    return [digest for (digest,) in connection.execute(asked).fetchall()]


def _restored(connection: psycopg.Connection, table: str, rows: list[str]) -> bool:
    """Remove the rows that a table did not have before: keys, and the mark of the directory, are
    made when they are first needed. Tell whether those that it had are there."""
    gone = SQL("DELETE FROM {} t WHERE md5(t::text) <> ALL(%s)").format(Identifier(table))
    connection.execute(gone, [rows])
    return _rows(connection, table) == rows


def _extent(connection: psycopg.Connection) -> tuple[int, int]:
    """Return how many relations there are, and their size."""
    sums = f"SELECT count(*), coalesce(sum(pg_relation_size(oid)), 0)::bigint {_RELATIONS}"
    found = connection.execute(sums.encode()).fetchone()
    assert found is not None
    return found[0], found[1]


def _emptied(url: str, start: _Start) -> bool:
    """Make a database as it was before its test; tell whether that was possible."""
    try:
        with psycopg.connect(url) as connection:
            if not _left_alone(connection) or _analysed(connection):
                return False
            relations, size = _extent(connection)
            if relations != start.relations or size > start.size + _GROWN:
                return False
            if not all(_restored(connection, *one) for one in start.filled.items()):
                return False
            connection.execute(b"SET LOCAL ehr.audit_retention = 'on'")  # or rows of audit stay
            # One statement: foreign keys are looked at when it ends, whatever the order.
            each = SQL("{0} AS (DELETE FROM {0})")
            deletes = SQL(", ").join(each.format(Identifier(table)) for table in start.empty)
            connection.execute(SQL("WITH {} SELECT").format(deletes))
    except psycopg.Error:
        return False
    return True


def _left_alone(connection: psycopg.Connection) -> bool:
    limit = time.monotonic() + _PATIENCE
    while (connection.execute(_SESSIONS.encode()).fetchone() or (0,))[0]:
        if time.monotonic() > limit:
            return False
        time.sleep(0.005)
        connection.rollback()  # activity is read once a transaction
    return True


def _analysed(connection: psycopg.Connection) -> bool:
    found = connection.execute(b"SELECT 1 FROM pg_stats WHERE schemaname = 'public' LIMIT 1")
    return found.fetchone() is not None
