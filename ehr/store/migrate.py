"""Make and upgrade the schema with Alembic; tell which revision a database is at."""

import logging
from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from ehr.store.tables import key_ring

# Its progress is told by the commands that ask for it.
logging.getLogger("alembic").setLevel(logging.WARNING)

_NAMED = 3  # tables of a foreign database
_SETTING_UP = 5_324_019_846_210_337  # names the advisory lock of those who make a schema


class ForeignDatabase(Exception):
    """The database is somebody else's: `str()` names some of its tables."""


def refuse_foreign(connection: Connection) -> None:
    """Raise ForeignDatabase where there are tables, and none that a record of ours has."""
    names = set(inspect(connection).get_table_names())
    if key_ring.name in names:
        return
    others = sorted(names - {"alembic_version"})  # that alone is left where ours was taken back
    if others:
        more = len(others) - _NAMED
        named = ", ".join(others[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        raise ForeignDatabase(f"It has tables of something else ({named}) and no record.")


def is_empty(connection: Connection) -> bool:
    """Tell whether a database has no table at all, neither ours nor anybody's."""
    return not inspect(connection).get_table_names()


def set_up(connection: Connection) -> bool:
    """Make the schema of an empty database; tell whether it was this call that made it.

    Of two that come at once, the second waits until the first has committed and finds it made.
    """
    if connection.dialect.name == "postgresql":  # SQLite's writers take turns anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SETTING_UP})
    if not is_empty(connection):
        return False
    upgrade(connection)
    return True


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to a revision, in the caller's transaction.

    Raises ForeignDatabase.
    """
    refuse_foreign(connection)
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Run the migrations back to a revision, `base` for an empty database."""
    command.downgrade(_config(connection), revision)


def current_revision(connection: Connection) -> str | None:
    """Return the revision a database is at, None where it has no schema yet."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def newest_revision() -> str:
    """Return the revision that this release needs."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert head is not None
    return head


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["connection"] = connection
    return config
