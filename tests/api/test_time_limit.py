"""What takes too long is stopped on either engine, and said to be too costly; R4 issue type
`too-costly`: "The operation was stopped to protect server resources".
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import Integer, Text, cast, insert, select, text, true

from auth import tokens
from ehr.app import create_app
from ehr.audit.trail import Trail
from ehr.errors import Busy, TooCostly
from ehr.record import Record, open_record
from ehr.settings import DEVELOPMENT_SECRET, load
from ehr.store.engine import Database, execute_raw
from ehr.store.opening import open_database
from ehr.store.scan import snapshot, stream
from ehr.store.tables import string
from tests.client import Client

_ENDLESS = (
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000000000) "
    "SELECT count(*) FROM c"
)
_A_WHILE = _ENDLESS.replace("2000000000", "2000000")
_MANY = {
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 40000) "
    "SELECT n AS n FROM c",
    "postgresql": "SELECT generate_series(1, 40000) AS n",
}

_SLOW = f"name:contains={','.join(f'zzz{n}' for n in range(100))}"


@pytest.fixture
def hasty(database_url: str) -> Iterator[Database]:
    """Give the database with a limit of 50 ms a statement."""
    opened = open_database(database_url, secret=DEVELOPMENT_SECRET, timeout=0.05)
    yield opened
    opened.close()


def test_a_statement_is_stopped_and_the_next_one_answered(hasty: Database) -> None:
    with pytest.raises(TooCostly), hasty.read() as connection:
        connection.execute(text(_ENDLESS))

    with hasty.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_statement_of_the_driver_is_stopped(hasty: Database) -> None:
    with pytest.raises(TooCostly), hasty.read() as connection:
        execute_raw(connection, _ENDLESS).fetchall()


def test_each_statement_has_the_whole_time(hasty: Database) -> None:
    with hasty.read() as connection:
        for _ in range(60):
            connection.execute(text("SELECT count(*) FROM resource")).scalar_one()
            time.sleep(0.002)

        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_snapshot_takes_as_long_as_it_takes(hasty: Database) -> None:
    with snapshot(hasty) as connection:
        assert next(stream(connection, _A_WHILE)) == [(2_000_000,)]

    with pytest.raises(TooCostly), hasty.read() as connection:
        connection.execute(text(_ENDLESS))


def test_a_search_that_takes_too_long_says_so(database_url: str) -> None:
    patient = _lengthen(database_url)
    record = open_record(load({"EHR_DATABASE_URL": database_url}))
    record.database.close()
    opened = open_database(database_url, secret=DEVELOPMENT_SECRET, timeout=0.05)
    trail = Trail(opened, record.settings, record.clock)
    hasty: Record = replace(record, database=opened, trail=trail)

    answer = _client(hasty, "system").get(f"Patient?{_SLOW}")
    found = _client(hasty, "system").get(f"Patient/{patient}")
    explained = _client(hasty, "operator").get(f"Patient?{_SLOW}&_explain=true")
    trail.close()
    opened.close()

    assert answer.status_code == 403
    assert [issue["code"] for issue in answer.json["issue"]] == ["too-costly"]
    assert found.status_code == 200
    assert explained.status_code == 200
    text = explained.get_data(as_text=True)
    assert "longer than the time limit" in text
    assert "query-plan" in text
    assert "rows" not in [one["name"] for one in explained.json["parameter"][2]["part"]]


def _client(record: Record, kind: str) -> Client:
    token = record.database.write(
        lambda connection: tokens.create(connection, kind=kind, name="tests", now=record.clock())
    )
    return Client(create_app(record).test_client(), token)


def _lengthen(url: str) -> str:
    """Give one patient 40,000 names, and return the id."""
    record = open_record(load({"EHR_DATABASE_URL": url}))
    client = _client(record, "system")
    made = client.create({"resourceType": "Patient", "name": [{"family": "Long"}]})
    many = text(_MANY[record.database.dialect]).columns(n=Integer).subquery("m")
    changed = {"value": cast(many.c.n, Text), "n": many.c.n}
    columns = [changed.get(column.name, column) for column in string.columns]
    rows = select(*columns).select_from(string.join(many, true()))
    names = [column.name for column in string.columns]
    record.database.write(
        lambda connection: connection.execute(insert(string).from_select(names, rows)) and None
    )
    record.database.close()
    return str(made["id"])


def test_a_reader_that_waits_for_a_change_of_the_schema_is_told(database_url: str) -> None:
    database = open_database(database_url, secret=DEVELOPMENT_SECRET, timeout=3)
    if database.dialect != "postgresql":
        database.close()
        pytest.skip("SQLite's readers wait for nobody")
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE resource IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(Busy), database.read() as connection:
            connection.execute(text("SELECT count(*) FROM resource"))
    database.close()
