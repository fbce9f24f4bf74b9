"""Open a database that has the schema of this release; make it in an empty one, refuse any other.

`migrate.py` knows how a schema is made and upgraded.
"""

from ehr.store import migrate as migrations
from ehr.store import safe
from ehr.store.engine import Database
from ehr.store.sessions.connections import WRITE_TIMEOUT


class OutdatedSchema(Exception):
    """The database has another schema than this release needs: why, and what to do."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(f"The database is not ready for this release. {why} {remedy}")
        self.why, self.remedy = why, remedy


class NoSchema(OutdatedSchema):
    """The database is empty: nobody has made a record in it yet."""


def open_database(
    url: str,
    *,
    secret: str = "",
    migrate: bool = False,
    pool_size: int = 20,
    timeout: float = WRITE_TIMEOUT,
) -> Database:
    """Open a database; `migrate` makes the schema of an empty one first.

    Raises NoSchema where nothing was made, ForeignDatabase where it is somebody else's,
    OutdatedSchema where the schema is not the one this release needs.
    """
    database = Database(url, secret=secret, pool_size=pool_size, timeout=timeout)
    try:
        _check_schema(database, make=migrate)
        # Made now: a write may not start another write to make them.
        _ = database.hasher, database.compressor, database.epoch, database.secret("cursor")
        database.secret(safe.PURPOSE)
    except BaseException:
        database.close()
        raise
    return database


def _check_schema(database: Database, *, make: bool) -> None:
    found, is_empty = _schema(database)
    if is_empty and make:
        database.is_new = database.write(migrations.set_up)
        found, is_empty = _schema(database)
    if is_empty:
        raise NoSchema(
            "It is empty: nobody has made a record in it yet.",
            "Make one with `ehr serve`, `ehr load` or `ehr db upgrade`.",
        )
    needed = migrations.newest_revision()
    if found != needed:
        raise OutdatedSchema(
            f"Its schema is {found or 'not ours'}, and this release needs {needed}.",
            "Run `ehr db upgrade`.",
        )


def _schema(database: Database) -> tuple[str | None, bool]:
    with database.read() as connection:
        migrations.refuse_foreign(connection)
        found = migrations.current_revision(connection)
        return found, found is None and migrations.is_empty(connection)
