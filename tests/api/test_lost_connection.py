"""PostgreSQL goes away or takes too long: callers are told, and the next request works."""

import psycopg
import pytest
from sqlalchemy import text

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
