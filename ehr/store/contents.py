"""The content of whole tables, engine-neutral: rows as they travel, and what proves them the same.

A table's digest is the sum of its rows' hashes, so it does not depend on their order. Numbers of
the engine itself (transaction ids of PostgreSQL) do not travel.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import psycopg
from sqlalchemy import Boolean, Connection, LargeBinary, Table, text

from auth.models import metadata as auth_metadata
from ehr.store.engine import is_postgres
from ehr.store.insert import insert_rows
from ehr.store.scan import Row, stream
from ehr.store.tables import (
    body_dictionary,
    counter,
    criteria_lock,
    database_fact,
    key_ring,
    metadata,
    organisation_key,
    txn,
)

_ENCODER = msgspec.msgpack.Encoder()
_MODULUS = 1 << 128
# Made when a database is opened for the first time: a database with these alone is empty.
FIRST_ROWS = (key_ring, database_fact, body_dictionary, organisation_key, counter)


@dataclass(slots=True)
class Digest:
    """How many rows, and the sum of their hashes."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Count rows in."""
        for row in rows:
            hashed = hashlib.blake2b(_ENCODER.encode(row), digest_size=16).digest()
            self.total = (self.total + int.from_bytes(hashed, "big")) % _MODULUS
            self.rows += 1

    def text(self) -> str:
        """Return the sum as text."""
        return f"{self.total:032x}"


def tables() -> tuple[Table, ...]:
    """Return every table with content, parents first."""
    every = (*auth_metadata.sorted_tables, *metadata.sorted_tables)
    return tuple(table for table in every if table is not criteria_lock)


def rows_of(connection: Connection, table: Table) -> Iterator[list[Row]]:
    """Yield a table's rows in slices, the same on each engine."""
    names = ", ".join(column.name for column in table.columns)
    neutral = _neutral(table)
    for rows in stream(connection, f"SELECT {names} FROM {table.name}"):  # noqa: S608  our own names
        yield [neutral(row) for row in rows] if neutral else [tuple(row) for row in rows]


def put_rows(table: Table, rows: Sequence[Row], connection: Connection) -> None:
    """Insert rows as they travel: of many transactions and authors, unlike those of one write."""
    if not is_postgres(connection):
        insert_rows(connection, {table: rows})
        return
    names = ", ".join(column.name for column in table.columns)
    sql = f"COPY {table.name} ({names}) FROM STDIN"
    driver = cast(psycopg.Connection[Any], connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)


def digest_of(connection: Connection, table: Table) -> Digest:
    """Return a table's count and sum."""
    digest = Digest()
    for rows in rows_of(connection, table):
        digest.add(rows)
    return digest


def is_empty(connection: Connection) -> bool:
    """Tell whether a database holds nothing yet but what opening it makes."""
    kept = [table for table in tables() if table not in FIRST_ROWS]
    return not any(
        connection.execute(text(f"SELECT 1 FROM {table.name} LIMIT 1")).first()  # noqa: S608  as above
        for table in kept
    )


def make_way(connection: Connection) -> None:
    """Remove what opening a database makes, for the rows of another."""
    for table in FIRST_ROWS:
        connection.execute(text(f"DELETE FROM {table.name}"))  # noqa: S608  as above


def mark_unfinished(connection: Connection) -> None:
    """Make a database that is being filled refuse to open."""
    connection.execute(text("UPDATE alembic_version SET version_num = 'unfinished-copy'"))


def mark_finished(connection: Connection, revision: str) -> None:
    """Let a filled database open."""
    connection.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": revision})


def settle_stamps(connection: Connection) -> None:
    """Number the transactions that had no stamp yet where they come from."""
    order = "row_number() OVER (ORDER BY at, txn_id)"
    newest = "coalesce((SELECT max(commit_seq) FROM txn), 0)"
    rows = connection.execute(
        text(f"SELECT txn_id, {order} + {newest} FROM txn WHERE commit_seq IS NULL")  # noqa: S608  texts of ours
    ).all()
    for txn_id, number in rows:
        connection.execute(txn.update().where(txn.c.txn_id == txn_id).values(commit_seq=number))


def count(connection: Connection, table: Table) -> int:
    """Return how many rows a table has."""
    found: int = connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()  # noqa: S608  its own name
    return found


def _neutral(table: Table) -> Callable[[Sequence[Any]], Row] | None:
    """Return what makes a row engine-neutral, None where each already is."""
    changes: dict[int, Callable[[Any], Any]] = {}
    for position, column in enumerate(table.columns):
        if isinstance(column.type, Boolean):
            changes[position] = _boolean
        elif isinstance(column.type, LargeBinary):
            changes[position] = _bytes
        elif column is txn.c.xid:
            changes[position] = _nothing
    if not changes:
        return None

    def neutral(row: Sequence[Any]) -> Row:
        values = list(row)
        for position, change in changes.items():
            values[position] = change(values[position])
        return tuple(values)

    return neutral


def _boolean(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _nothing(_value: Any) -> None:
    return None
