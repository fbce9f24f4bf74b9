"""Many rows in few statements: one for all tables on PostgreSQL, one per table on SQLite.

PostgreSQL takes each column as one array, and all tables as parts of one statement (data-modifying
WITH), whose text does not depend on the number of rows, so that it is planned once. SQLite runs one
prepared statement per table over the rows. Citus takes a statement per table: see `combine`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

from ehr.store.engine import is_postgres, of

Rows = Mapping[Table, Sequence[tuple[Any, ...]]]


def insert_rows(connection: Connection, rows: Rows) -> None:
    """Insert rows, given as tuples in the order of each table's columns."""
    _run(connection, _insert_sqlite, _insert_postgres, _columns, rows)


def delete_rows(connection: Connection, rows: Rows) -> None:
    """Delete the rows with these primary keys, given in the key's order."""
    _run(connection, _delete_sqlite, _delete_postgres, _primary_key, rows)


def update_rows(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Set the named columns of rows given as (primary key…, values…)."""
    if not rows:
        return
    if is_postgres(connection):
        columns = (*_primary_key(table), *names)
        _execute(connection, _update_postgres(table, names), _arrays(rows, len(columns)))
    else:
        key = len(_primary_key(table))
        _execute_many(
            connection, _update_sqlite(table, names), [row[key:] + row[:key] for row in rows]
        )


def _run(
    connection: Connection,
    sqlite: Callable[[Table], str],
    postgres: Callable[[Table, int], str],
    columns: Callable[[Table], tuple[str, ...]],
    rows: Rows,
) -> None:
    filled = {table: some for table, some in rows.items() if some}
    if not filled:
        return
    if not is_postgres(connection):
        for table, some in filled.items():
            _execute_many(connection, sqlite(table), some)
        return
    parameters: list[Any] = []
    for table, some in filled.items():
        parameters.extend(_arrays(some, len(columns(table))))
    _execute(connection, _combined(postgres, tuple(filled)), parameters)


@cache
def _combined(part: Callable[[Table, int], str], tables: tuple[Table, ...]) -> str:
    """Return one statement out of a part per table."""
    parts = [part(table, 0) for table in tables]
    if len(parts) == 1:
        return parts[0]
    heads = ", ".join(f"w{number} AS ({sql})" for number, sql in enumerate(parts[:-1]))
    return f"WITH {heads} {parts[-1]}"


def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _primary_key(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key.columns)


@cache
def _insert_sqlite(table: Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({', '.join(_columns(table))}) VALUES ({marks})"  # noqa: S608  names of our own schema


def _insert_postgres(table: Table, _: int) -> str:
    names = ", ".join(_columns(table))
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM {_unnest(table, _columns(table))}"  # noqa: S608  as above


@cache
def _delete_sqlite(table: Table) -> str:
    where = " AND ".join(f"{name} = ?" for name in _primary_key(table))
    return f"DELETE FROM {table.name} WHERE {where}"  # noqa: S608  as above


def _delete_postgres(table: Table, _: int) -> str:
    key = _primary_key(table)
    where = " AND ".join(f"{table.name}.{name} = u.{name}" for name in key)
    source = f"{_unnest(table, key)} AS u ({', '.join(key)})"
    return f"DELETE FROM {table.name} USING {source} WHERE {where}"  # noqa: S608  as above


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
    source = f"{_unnest(table, (*key, *names))} AS u ({', '.join((*key, *names))})"
    return f"UPDATE {table.name} SET {sets} FROM {source} WHERE {where}"  # noqa: S608  as above


def _unnest(table: Table, names: Sequence[str]) -> str:
    from sqlalchemy.dialects import postgresql

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = (table.c[name].type.compile(dialect).split(" COLLATE")[0] for name in names)
    return f"unnest({', '.join(f'%b::{kind}[]' for kind in types)})"


def _arrays(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    assert len(columns) == width, "row and table differ in width"
    return columns


def _execute(connection: Connection, sql: str, parameters: Sequence[Any]) -> None:
    of(connection).announce(sql)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, parameters)
    finally:
        cursor.close()


def _execute_many(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    of(connection).announce(sql)
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(sql, rows)
    finally:
        cursor.close()
