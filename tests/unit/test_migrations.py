"""The migrations lead to exactly the schema in code, and back to nothing, on both engines."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from auth.models import metadata as auth_metadata
from ehr.settings import DEVELOPMENT_SECRET
from ehr.store import migrate
from ehr.store.engine import Database
from ehr.store.opening import NoSchema, OutdatedSchema, open_database
from ehr.store.tables import metadata as record_metadata
from tests import engines

TABLES = set(record_metadata.tables) | set(auth_metadata.tables)


@pytest.fixture(params=engines.chosen())
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database without any table, on each engine in turn."""
    with engines.empty_url(request.param, tmp_path) as url:
        yield url


@contextlib.contextmanager
def _plain(database: Database) -> Iterator[Connection]:
    """Give a connection as SQLAlchemy makes it: the record's own, binary one can't be inspected."""
    engine = create_engine(database.url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _tables(database: Database) -> set[str]:
    with _plain(database) as connection:
        found = set(inspect(connection).get_table_names()) - {"alembic_version"}
    return {name for name in found if not _is_engine_s(name)}


def _is_engine_s(name: str | None) -> bool:
    """Tell of the tables that SQLite's full text search keeps its words in."""
    return name is not None and name.startswith("full_text_words")


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_migrated_is_what_the_code_says(database: Database) -> None:
    with _plain(database) as connection:
        engine = connection.dialect.name
        options = {
            "compare_type": True,
            "include_name": lambda name, *_: not _is_engine_s(name),
            "include_object": lambda one, *_: one.info.get("engine", engine) == engine,
        }
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, [record_metadata, auth_metadata])

    assert differences == []
    assert _tables(database) == TABLES


def test_indexes_are_what_the_code_says(database: Database) -> None:
    with _plain(database) as connection:
        inspector = inspect(connection)
        for metadata in (record_metadata, auth_metadata):
            for table in metadata.tables.values():
                found = {index["name"] for index in inspector.get_indexes(table.name)}
                key = inspector.get_pk_constraint(table.name)["constrained_columns"]

                engine = connection.dialect.name
                made = {i.name for i in table.indexes if i.info.get("engine", engine) == engine}
                assert made == found, table.name
                assert [column.name for column in table.primary_key] == key, table.name


def test_down_leaves_nothing_and_up_again_all(database: Database) -> None:
    database.write(lambda connection: migrate.downgrade(connection, "base"))
    assert _tables(database) == set()

    database.write(migrate.upgrade)

    assert _tables(database) == TABLES
    with database.read() as connection:
        assert migrate.current_revision(connection) == migrate.newest_revision()


def test_migrating_twice_changes_nothing(database: Database) -> None:
    database.write(migrate.upgrade)

    assert _tables(database) == TABLES


def test_an_outdated_schema_is_refused_and_left_as_it_is(
    database: Database, database_url: str
) -> None:
    database.write(partial(migrate.downgrade, revision="0003"))

    with pytest.raises(OutdatedSchema, match="ehr db upgrade"):
        open_database(database_url, secret=DEVELOPMENT_SECRET, migrate=True)

    with database.read() as connection:
        assert migrate.current_revision(connection) == "0003"


def test_an_empty_database_is_left_as_it_is_unless_asked(empty_url: str) -> None:
    with pytest.raises(NoSchema, match="empty"):
        open_database(empty_url, secret=DEVELOPMENT_SECRET)

    made = open_database(empty_url, secret=DEVELOPMENT_SECRET, migrate=True)
    assert made.is_new
    assert _tables(made) == TABLES
    made.close()


def test_a_database_with_other_tables_is_not_taken_for_an_empty_one(empty_url: str) -> None:
    other = Database(empty_url)
    other.write(lambda connection: connection.execute(text("CREATE TABLE something (n INTEGER)")))

    with pytest.raises(migrate.ForeignDatabase, match="something"):
        open_database(empty_url, secret=DEVELOPMENT_SECRET, migrate=True)
    with pytest.raises(migrate.ForeignDatabase, match="something"):
        other.write(migrate.upgrade)
    assert _tables(other) == {"something"}
    other.close()


def test_of_starts_on_one_empty_database_one_makes_it(empty_url: str) -> None:
    def start(_number: int) -> Database:
        return open_database(empty_url, secret=DEVELOPMENT_SECRET, migrate=True)

    with ThreadPoolExecutor(3) as starts:
        opened = list(starts.map(start, range(3)))

    assert sorted(one.is_new for one in opened) == [False, False, True]
    assert len({one.epoch for one in opened}) == 1
    assert len({one.secret("hash") for one in opened}) == 1
    for one in opened:
        one.close()
