"""The floor of a write: the same rows by plain driver statements, without HTTP, FHIR or checks.

The rows of each transaction are read back from a loaded database and written to a fresh one:
`executemany` per table on SQLite, one `INSERT … SELECT unnest(…)` per table on PostgreSQL, a
durable COMMIT at the end of each transaction, as the record does.
"""

import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from psycopg.types.numeric import Int8BinaryDumper
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url

from ehr.store import tables
from tests.bench.measuring import Spent, measured

Row = tuple[Any, ...]
Transaction = dict[Table, list[Row]]
Connection = Any  # of either driver

# Every table that a write fills, by the column that names the owner's key; resource before version.
_KEYED = {
    tables.locator: "patient_key",
    tables.identifier_locator: "patient_key",
    tables.resource: "patient_key",
    tables.version: "patient_key",
    tables.token: "patient_key",
    tables.reference: "patient_key",
    tables.date: "patient_key",
    tables.string: "patient_key",
    tables.quantity: "patient_key",
    tables.uri: "patient_key",
    tables.member: "owner_key",
}


@dataclass(frozen=True, slots=True)
class Floor:
    """What the replay took, for how many versions and rows in all tables."""

    spent: Spent
    versions: int
    rows: int


def txn_ids(url: str) -> set[int]:
    """Return the transactions that a database has."""
    connection = connect(url)
    try:
        return {row[0] for row in _fetch(connection, "SELECT txn_id FROM txn")}
    finally:
        connection.close()


def captured(url: str) -> dict[int, Transaction]:
    """Return the rows of each transaction; right where every resource has one version."""
    connection = connect(url)
    try:
        found: dict[int, Transaction] = defaultdict(lambda: defaultdict(list))
        for row in _fetch(connection, _select(tables.txn)):
            found[row[0]][tables.txn].append(row)
        places = "SELECT patient_key, rid, txn_id FROM version"
        owner = {(key, rid): txn for key, rid, txn in _fetch(connection, places)}
        for table, name in _KEYED.items():
            key, rid = (list(table.columns.keys()).index(one) for one in (name, "rid"))
            for row in _fetch(connection, _select(table)):
                txn = owner.get((row[key], row[rid]))
                if txn is not None:
                    found[txn][table].append(row)
        return dict(found)
    finally:
        connection.close()


def replay(
    url: str,
    database_pid: int | None,
    transactions: dict[int, Transaction],
    before: Iterable[int] = (),
) -> Floor:
    """Write the transactions to a fresh database; those in `before` first, without measuring."""
    first = set(before)
    connection = connect(url)
    write = _write_sqlite if isinstance(connection, sqlite3.Connection) else _write_postgres
    try:
        for id in sorted(first & set(transactions)):
            write(connection, transactions[id])
        rest = [transactions[id] for id in sorted(set(transactions) - first)]
        with measured(os.getpid(), database_pid) as spent:
            for one in rest:
                write(connection, one)
    finally:
        connection.close()
    rows = sum(len(some) for one in rest for some in one.values())
    return Floor(spent, sum(len(one[tables.version]) for one in rest), rows)


def statement_time(url: str, sql: str, parameters: Sequence[Sequence[Any]]) -> float:
    """Return the seconds that one statement takes by the driver alone, all rows fetched."""
    connection = connect(url)
    # The record numbers its marks itself where it runs a statement without a cursor.
    is_numbered = isinstance(connection, psycopg.Connection) and "$1" in sql
    cursor = psycopg.RawCursor(connection) if is_numbered else connection.cursor()
    try:
        for values in parameters[:50]:
            cursor.execute(sql, values).fetchall()
        started = time.perf_counter()
        for values in parameters:
            cursor.execute(sql, values).fetchall()
        return (time.perf_counter() - started) / len(parameters)
    finally:
        connection.close()


def connect(url: str) -> Connection:
    """Return a connection of the driver itself, as durable as the record's."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        connection = sqlite3.connect(str(parsed.database), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        return connection
    postgres = psycopg.connect(url, autocommit=True)
    postgres.adapters.register_dumper(int, Int8BinaryDumper)
    postgres.prepare_threshold = 2
    return postgres


def _fetch(connection: Connection, sql: str) -> list[Row]:
    return [tuple(row) for row in connection.execute(sql).fetchall()]


def _select(table: Table) -> str:
    return f"SELECT {', '.join(table.columns.keys())} FROM {table.name}"


def _write_sqlite(connection: Connection, rows: Transaction) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table, some in rows.items():
        marks = ", ".join("?" * len(table.columns))
        connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", some)
    connection.execute("COMMIT")


def _write_postgres(connection: Connection, rows: Transaction) -> None:
    with connection.transaction():
        for table, some in rows.items():
            columns = [list(column) for column in zip(*some, strict=True)]
            connection.execute(_insert(table), columns, binary=True)


@cache
def _insert(table: Table) -> str:
    dialect = postgresql.dialect()
    types = (column.type.compile(dialect).split(" COLLATE")[0] for column in table.columns)
    source = ", ".join(f"%b::{kind}[]" for kind in types)
    names = ", ".join(table.columns.keys())
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({source})"
