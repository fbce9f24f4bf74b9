"""Hot statements on PostgreSQL: values there and back, and what a session forgets or refuses."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ehr.store.sessions import prepared
from ehr.store.statements import query

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.store.engine import Database


@pytest.fixture
def postgres(database: "Database") -> "Database":
    if database.dialect != "postgresql":
        pytest.skip("SQLite keeps prepared statements by itself")
    return database


def _asking(sql: str, *parameters: Any) -> Callable[["Connection"], list[tuple[Any, ...]]]:
    return lambda connection: query(connection, sql, parameters)


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT %b", 1),
        ("SELECT %b", -(2**63)),
        ("SELECT %b", "Müller ☃"),
        ("SELECT %b", ""),
        ("SELECT %b::bigint", None),
        ("SELECT %b::bigint[]", [1, 2, 3]),
        ("SELECT %b::text[]", ["a", "ü", ""]),
        ("SELECT %b::text[]", []),
    ],
)
def test_a_value_comes_back_as_it_went(postgres: "Database", sql: str, value: Any) -> None:
    assert postgres.write(_asking(sql, value)) == [(value,)]


def test_each_mark_is_its_own_parameter(postgres: "Database") -> None:
    assert postgres.write(_asking("SELECT %b, %b, %b", 1, "a", 2)) == [(1, "a", 2)]


def test_one_text_takes_parameters_of_several_types(postgres: "Database") -> None:
    for value in (1, "a", 2, None):
        assert postgres.write(_asking("SELECT %b::text", value)) in ([(str(value),)], [(None,)])


def test_what_a_reading_session_forgot_is_prepared_again(postgres: "Database") -> None:
    with postgres.read() as connection:
        query(connection, "SELECT 1")
        connection.exec_driver_sql("DEALLOCATE ALL")

        assert query(connection, "SELECT 1") == [(1,)]


def test_a_write_whose_session_forgot_runs_again(postgres: "Database") -> None:
    runs: list[int] = []

    def work(connection: "Connection") -> list[tuple[Any, ...]]:
        runs.append(1)
        if len(runs) == 1:
            query(connection, "SELECT 1")
            connection.exec_driver_sql("DEALLOCATE ALL")
        return query(connection, "SELECT 1")

    assert postgres.write(work) == [(1,)]
    assert len(runs) == 2


def test_more_statements_than_a_session_keeps(postgres: "Database") -> None:
    def work(connection: "Connection") -> int:
        for number in range(250):
            assert query(connection, f"SELECT {number}") == [(number,)]
        kept = connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar()
        return int(kept or 0)

    assert postgres.write(work) <= 101  # and the one that counts


def test_a_failed_statement_leaves_the_session_in_order(postgres: "Database") -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        postgres.write(_asking("SELECT 1 / %b", 0))

    assert postgres.write(_asking("SELECT 1 / %b", 1)) == [(1,)]


def test_an_error_that_was_passed_over_is_no_success(postgres: "Database") -> None:
    def work(connection: "Connection") -> None:
        query(connection, "INSERT INTO criteria_lock (hash) VALUES (%b)", (1,))
        with contextlib.suppress(psycopg.Error):
            query(connection, "SELECT 1 / %b", (0,))

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        postgres.write(work)

    with postgres.read() as connection:
        assert query(connection, "SELECT 1 FROM criteria_lock") == []


def test_an_unknown_kind_of_value_is_a_fault(postgres: "Database") -> None:
    with postgres.read() as connection, pytest.raises(TypeError):
        prepared.rows(connection, "SELECT $1", (object(),))
