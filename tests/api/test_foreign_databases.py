"""A database that holds tables of something else is left alone by every command, on each engine."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect

from ehr import cli
from ehr.cli import server
from ehr.cli.exits import Exit
from ehr.store.engine import Database
from tests import engines

pytestmark = pytest.mark.usefixtures("folder_of_its_own")

Printed = pytest.CaptureFixture[str]
# The names that another program has may be ours as well, and it may use Alembic.
TABLES = {
    "a shop": ["customer", "invoice", "resource"],
    "with Alembic": ["alembic_version", "customer", "invoice"],
}


@pytest.fixture(params=engines.chosen())
def foreign(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Let commands find an empty database of another program; tests fill it."""
    monkeypatch.setattr(server, "check_address", lambda _settings: None)
    monkeypatch.setattr(server, "run", lambda _settings, _environment: pytest.fail("it serves"))
    with engines.empty_url(request.param, tmp_path) as url:
        monkeypatch.setenv("EHR_DATABASE_URL", url)
        yield url


def _fill(url: str, tables: list[str]) -> None:
    connection = (
        sqlite3.connect(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite")
        else psycopg.connect(url)
    )
    with connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} (version_num VARCHAR(32))")
        if "alembic_version" in tables:
            connection.execute("INSERT INTO alembic_version VALUES ('3f0c9a12e5b7')")
    connection.close()


def _tables(url: str) -> list[str]:
    database = Database(url, pool_size=1)
    try:
        with database.read() as connection:
            return sorted(inspect(connection).get_table_names())
    finally:
        database.close()


@pytest.mark.parametrize(
    "command",
    [
        ["serve"],
        ["db", "upgrade"],
        ["db", "status"],
        ["load", "p.json"],
        ["token", "create", "--system"],
        ["get", "metadata"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("tables", TABLES.values(), ids=TABLES)
def test_nothing_is_made_among_tables_of_others(
    foreign: str, tables: list[str], command: list[str], capsys: Printed
) -> None:
    Path("p.json").write_text('{"resourceType": "Patient", "id": "p"}', "utf-8")
    _fill(foreign, tables)

    assert cli.run(command) == Exit.DATABASE

    _check_refusal(capsys.readouterr().err)
    assert _tables(foreign) == tables


def test_nothing_is_restored_or_copied_among_tables_of_others(
    foreign: str, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    _fill(foreign, ["customer", "invoice"])
    monkeypatch.setenv("EHR_DATABASE_URL", "sqlite:///ours.db")
    assert cli.run(["db", "upgrade"]) == Exit.OK
    assert cli.run(["db", "backup", "b.ehr"]) == Exit.OK
    capsys.readouterr()

    assert cli.run(["db", "copy", foreign]) == Exit.DATABASE
    _check_refusal(capsys.readouterr().err)
    monkeypatch.setenv("EHR_DATABASE_URL", foreign)
    assert cli.run(["db", "restore", "b.ehr"]) == Exit.DATABASE
    _check_refusal(capsys.readouterr().err)

    assert _tables(foreign) == ["customer", "invoice"]


def _check_refusal(said: str) -> None:
    assert "It has tables of something else (customer, invoice" in said
    assert "empty database" in said
    assert "ehr db upgrade" not in said


def test_a_check_names_the_tables(foreign: str, capsys: Printed) -> None:
    _fill(foreign, [f"table{number}" for number in range(9)])

    assert cli.run(["check"]) == Exit.FAILED

    said = capsys.readouterr()
    assert "(table0, table1, table2 and 6 more)" in said.out + said.err
