"""PostgreSQL goes away or takes too long: callers are told, and the next request works."""

import contextlib
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import literal, select, text

from ehr.errors import Busy, TooCostly
from ehr.store.engine import Database


@pytest.fixture
def postgres(database: Database) -> Database:
    if database.dialect != "postgresql":
        pytest.skip("an SQLite file has no sessions to lose")
    return database


def test_a_reader_whose_session_ended_is_told_and_replaced(postgres: Database) -> None:
    with postgres.read() as connection:
        session = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    url = postgres.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (session,))

    with pytest.raises(Busy), postgres.read() as connection:
        connection.execute(text("SELECT 1"))

    with postgres.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_what_takes_too_long_is_too_costly(postgres: Database) -> None:
    with postgres.read() as connection:
        connection.execute(text("SET statement_timeout = 50"))

    with pytest.raises(TooCostly), postgres.read() as connection:
        connection.execute(text("SELECT pg_sleep(2)"))


def test_more_values_than_a_statement_takes_are_too_costly(database: Database) -> None:
    many = literal(1).in_(range(300_000))

    with pytest.raises(TooCostly, match="more values"), database.read() as connection:
        connection.execute(select(literal(1)).where(many))

    with database.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_who_meets_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    database = Database(f"postgresql://nobody@/none?host={tmp_path}", secret="x" * 16)

    for ask in (_read_one, _write_one):
        with pytest.raises(Busy):
            ask(database)


def _read_one(database: Database) -> None:
    with database.read() as connection:
        connection.execute(text("SELECT 1"))


def _write_one(database: Database) -> None:
    database.write(lambda connection: connection.execute(text("SELECT 1")) and None)


def test_readers_that_fell_together_are_told_once(postgres: Database) -> None:
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(postgres.read()) for _ in range(3)]
        sessions = [one.execute(text("SELECT pg_backend_pid()")).scalar_one() for one in readers]
    url = postgres.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as other:
        for session in sessions:
            other.execute("SELECT pg_terminate_backend(%s)", (session,))

    with pytest.raises(Busy):
        _read_one(postgres)

    for _ in range(3):
        _read_one(postgres)
