"""Many rows in few statements: one for all tables on PostgreSQL, one per table on SQLite.

PostgreSQL takes each column as one array, and all tables as parts of one statement (data-modifying
WITH), whose text does not depend on the number of rows, so that it is planned once. SQLite runs one
prepared statement per table over the rows. Citus takes a statement per table: see `combine`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

from ehr.store.arrays import encode
from ehr.store.engine import is_postgres, of
from ehr.store.full_text import WORDS_OF_ROW
from ehr.store.statements import run_prepared

Row = tuple[Any, ...]
Rows = Mapping[Table, Sequence[Row]]
# What SQLite keeps of a table's rows a second time, taken from the same values. By a trigger it
# would cost ten times as much: FTS5 brings its index to the file whenever one has run.
_KEPT_TWICE = {"full_text": WORDS_OF_ROW}
# Columns with one value for all rows of a transaction, and their PostgreSQL type.
_CONSTANT = {"txn_id": "bigint"}


def insert_rows(connection: Connection, rows: Rows) -> None:
    """Insert rows, given as tuples in the order of each table's columns."""
    if is_postgres(connection):
        _combine(connection, _insert_postgres, _insert_parameters, rows)
    else:
        _each(connection, _insert_sqlite, rows)
        for table, some in rows.items():
            if some and table.name in _KEPT_TWICE:
                _execute_many(connection, _KEPT_TWICE[table.name], some)


def delete_rows(connection: Connection, rows: Rows) -> None:
    """Delete the rows with these primary keys, given in the key's order."""
    if is_postgres(connection):
        _combine(connection, _delete_postgres, _delete_parameters, rows)
    else:
        _each(connection, _delete_sqlite, rows)


def update_rows(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Set the named columns of rows given as (primary key…, values…)."""
    if not rows:
        return
    if is_postgres(connection):
        columns = (*_primary_key(table), *names)
        _execute(connection, _update_postgres(table, names), _arrays(table, columns, rows))
    else:
        key = len(_primary_key(table))
        _execute_many(
            connection, _update_sqlite(table, names), [row[key:] + row[:key] for row in rows]
        )


def _each(connection: Connection, sql: Callable[[Table], str], rows: Rows) -> None:
    for table, some in rows.items():
        if some:
            _execute_many(connection, sql(table), some)


def _combine(
    connection: Connection,
    part: Callable[[Table, int], str],
    parameters: Callable[[Table, Sequence[Row]], list[Any]],
    rows: Rows,
) -> None:
    filled = {table: some for table, some in rows.items() if some}
    if not filled:
        return
    sent = [parameters(table, some) for table, some in filled.items()]
    sql = _combined(part, tuple(zip(filled, map(len, sent), strict=True)))
    _execute(connection, sql, [one for some in sent for one in some])


@cache
def _combined(part: Callable[[Table, int], str], tables: tuple[tuple[Table, int], ...]) -> str:
    """Return one statement out of a part per table; each takes its number of parameters."""
    parts: list[str] = []
    first = 1
    for table, count in tables:
        parts.append(part(table, first))
        first += count
    heads = ", ".join(f"w{number} AS ({sql})" for number, sql in enumerate(parts[:-1]))
    return f"WITH {heads} {parts[-1]}" if heads else parts[0]


@cache
def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


@cache
def _primary_key(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key.columns)


@cache
def _insert_sqlite(table: Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({', '.join(_columns(table))}) VALUES ({marks})"  # noqa: S608  names of our own schema


def _insert_postgres(table: Table, first: int) -> str:
    """Constants of the transaction (its number) are sent once, not for every row."""
    names = _columns(table)
    varying = [name for name in names if name not in _CONSTANT]
    marks = {name: f"${first + n}" for n, name in enumerate(varying)}
    last = first + len(varying)
    constants = [name for name in names if name in _CONSTANT]
    picked = [
        f"u.{name}" if name in marks else f"${last + constants.index(name)}::{_CONSTANT[name]}"
        for name in names
    ]
    source = f"unnest({', '.join(marks.values())}) AS u ({', '.join(varying)})"
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(picked)} FROM {source}"  # noqa: S608  names of our own schema


@cache
def _delete_sqlite(table: Table) -> str:
    where = " AND ".join(f"{name} = ?" for name in _primary_key(table))
    return f"DELETE FROM {table.name} WHERE {where}"  # noqa: S608  as above


def _delete_postgres(table: Table, first: int) -> str:
    key = _primary_key(table)
    where = " AND ".join(f"{table.name}.{name} = u.{name}" for name in key)
    return f"DELETE FROM {table.name} USING {_unnest(key, first)} WHERE {where}"  # noqa: S608  as above


@cache
def _update_sqlite(table: Table, names: tuple[str, ...]) -> str:
    sets = ", ".join(f"{name} = ?" for name in names)
    where = " AND ".join(f"{name} = ?" for name in _primary_key(table))
    return f"UPDATE {table.name} SET {sets} WHERE {where}"  # noqa: S608  as above


@cache
def _update_postgres(table: Table, names: tuple[str, ...]) -> str:
    key = _primary_key(table)
    sets = ", ".join(f"{name} = u.{name}" for name in names)
    where = " AND ".join(f"{table.name}.{name} = u.{name}" for name in key)
    return f"UPDATE {table.name} SET {sets} FROM {_unnest((*key, *names), 1)} WHERE {where}"  # noqa: S608  as above


def _unnest(names: Sequence[str], first: int) -> str:
    marks = ", ".join(f"${first + n}" for n in range(len(names)))
    return f"unnest({marks}) AS u ({', '.join(names)})"


def _arrays(table: Table, names: Sequence[str], rows: Sequence[Row]) -> list[Any]:
    columns = zip(*rows, strict=True)
    return [encode(_kind(table, name), column) for name, column in zip(names, columns, strict=True)]


def _insert_parameters(table: Table, rows: Sequence[Row]) -> list[Any]:
    varying, constant = _placed(table)
    columns = list(zip(*rows, strict=True))
    sent: list[Any] = [encode(kind, columns[n]) for n, kind in varying]
    return sent + [rows[0][n] for n in constant]


@cache
def _placed(table: Table) -> tuple[list[tuple[int, str]], list[int]]:
    """Return where the columns of rows and of the transaction stand, those of rows by kind."""
    names = list(enumerate(_columns(table)))
    varying = [(n, _kind(table, name)) for n, name in names if name not in _CONSTANT]
    return varying, [n for n, name in names if name in _CONSTANT]


def _delete_parameters(table: Table, rows: Sequence[Row]) -> list[Any]:
    return _arrays(table, _primary_key(table), rows)


@cache
def _kind(table: Table, name: str) -> str:
    kind: type = table.c[name].type.python_type
    return {int: "integer", float: "float", str: "text", bytes: "bytes", bool: "boolean"}[kind]


def _execute(connection: Connection, sql: str, parameters: Sequence[Any]) -> None:
    run_prepared(connection, sql, parameters)


def _execute_many(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    of(connection).announce(sql)
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(sql, rows)
    finally:
        cursor.close()
