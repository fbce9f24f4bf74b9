"""Hot statements on PostgreSQL without a cursor: one of psycopg's costs 75 µs, this costs 10.

A statement is prepared once in each session and then run by its name, parameters and rows in
binary; meanwhile other threads go on. Transactions are begun and ended by name.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

import psycopg
from psycopg import errors
from psycopg.adapt import Transformer
from psycopg.pq import DiagnosticField, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection

from ehr.store.arrays import parameter
from ehr.turns import waiting

Row = tuple[Any, ...]
T = TypeVar("T")
Kinds = tuple[int, ...]  # object ids of the parameters' types
Names = dict[tuple[str, Kinds], bytes]
_MOST = 100  # statements that a session keeps prepared
_NUMBERS = itertools.count()
_FORGOTTEN = b"26000"  # as psycopg makes it when a cursor runs ROLLBACK, DROP or ALTER


def rows(
    connection: Connection, sql: str, parameters: Sequence[Any], *, planned_anew: bool = False
) -> list[Row]:
    """Run a statement with parameters `$1`, `$2` … and return its rows, none if it has none.

    `planned_anew`: it is not prepared, since how it is best done depends on the values.
    """
    driver = driver_of(connection)
    if not driver.autocommit and driver.pgconn.transaction_status == TransactionStatus.IDLE:
        _command(driver, b"BEGIN")  # as a cursor would: it must not be a transaction of its own
    if planned_anew:
        result = _run_once(driver, sql, parameters)
    else:
        result = _run(connection, driver, sql, parameters)
    if _is(result, _FORGOTTEN):
        _names(connection).clear()
        if driver.info.transaction_status == TransactionStatus.IDLE:
            result = _run(connection, driver, sql, parameters)
    if result.status == ExecStatus.TUPLES_OK:
        transformer = Transformer(driver)
        transformer.set_pgresult(result, format=Format.BINARY)
        return transformer.load_rows(0, result.ntuples, tuple)
    return _done(result, [])


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Let what the block reads be of one moment, and take as long as it takes."""
    driver = driver_of(connection)
    _command(driver, b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        _command(driver, b"SET LOCAL statement_timeout = 0")
        yield
    finally:
        with suppress(psycopg.Error):
            # Not by a cursor, at whose ROLLBACK psycopg lets go of all prepared statements.
            _command(driver, b"ROLLBACK")


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Make what the block does one transaction."""
    driver = driver_of(connection)
    _command(driver, b"BEGIN ISOLATION LEVEL READ COMMITTED")
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):  # a session that is gone has rolled back
            _command(driver, b"ROLLBACK")
        raise
    with waiting():
        ended = _command(driver, b"COMMIT")
    if ended != b"COMMIT":
        raise errors.InFailedSqlTransaction("a statement failed, and its error was passed over")


def driver_of(connection: Connection) -> psycopg.Connection[Any]:
    """Return the driver's own connection."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _run(
    connection: Connection, driver: psycopg.Connection[Any], sql: str, parameters: Sequence[Any]
) -> PGresult:
    values, kinds, formats = _encoded(parameters)
    names = _names(connection)
    name = names.pop((sql, kinds), None) or _prepared(driver, names, sql, kinds)
    names[sql, kinds] = name  # as the newest
    return driver.pgconn.exec_prepared(name, values, formats, Format.BINARY)


def _run_once(driver: psycopg.Connection[Any], sql: str, parameters: Sequence[Any]) -> PGresult:
    values, kinds, formats = _encoded(parameters)
    return driver.pgconn.exec_params(sql.encode(), values, kinds, formats, Format.BINARY)


def _encoded(parameters: Sequence[Any]) -> tuple[list[Any], Kinds, tuple[Format, ...]]:
    """Return the values, None for NULL, their types and their formats."""
    encoded = [parameter(value) for value in parameters]
    kinds = tuple([oid for _, oid in encoded])
    return [value for value, _ in encoded], kinds, (Format.BINARY,) * len(encoded)


def _prepared(driver: psycopg.Connection[Any], names: Names, sql: str, kinds: Kinds) -> bytes:
    """Prepare a statement and return its name; the one not used for longest makes room."""
    if len(names) >= _MOST:
        _command(driver, b"DEALLOCATE " + names.pop(next(iter(names))))
    name = b"ehr%d" % next(_NUMBERS)
    return _done(driver.pgconn.prepare(name, sql.encode(), kinds), name)


def _names(connection: Connection) -> Names:
    """Return the names of what a session has prepared, which live as long as it does."""
    found: Names = connection.info.setdefault("prepared", {})
    return found


def _command(driver: psycopg.Connection[Any], command: bytes) -> bytes | None:
    result = driver.pgconn.exec_(command)
    return _done(result, result.command_status)


def _done(result: PGresult, value: T) -> T:
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return value
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        raise psycopg.OperationalError(result.get_error_message())  # the session is gone
    raise errors.error_from_result(result)


def _is(result: PGresult, state: bytes) -> bool:
    is_error = result.status == ExecStatus.FATAL_ERROR
    return is_error and result.error_field(DiagnosticField.SQLSTATE) == state
