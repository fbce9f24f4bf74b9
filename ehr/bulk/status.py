"""What `ehr db status` tells of a database, whatever state its schema is in."""

from typing import Any

from sqlalchemy import func, select, text

from ehr.settings.values import shown_url
from ehr.store import facts, migrate
from ehr.store.engine import Database
from ehr.store.tables import resource, txn, version


def describe(database: Database, given: str) -> dict[str, Any]:
    """Return engine, schema, counts and size; counts only where the schema is the one needed.

    `given` is the database's URL as it was given.
    """
    with database.read() as connection:
        migrate.refuse_foreign(connection)
        found: dict[str, Any] = {
            "engine": database.dialect,
            "database": shown_url(given),
            "schema": migrate.current_revision(connection),
            "schema_needed": migrate.newest_revision(),
        }
        if found["schema"] != found["schema_needed"]:
            return found
        live = select(func.count()).select_from(resource).where(resource.c.deleted.is_(False))
        found["resources"] = connection.execute(live).scalar_one()
        found["versions"] = connection.execute(
            select(func.count()).select_from(version)
        ).scalar_one()
        found["transactions"] = connection.execute(
            select(func.count()).select_from(txn)
        ).scalar_one()
        size = (
            "SELECT pg_database_size(current_database())"
            if database.dialect == "postgresql"
            else "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        )
        found["bytes"] = connection.execute(text(size)).scalar_one()
        found["epoch"] = facts.epoch(connection)
    return found


def clock(database: Database) -> float:
    """Return the time by the database's clock, in seconds since 1970."""
    sql = (
        "SELECT extract(epoch FROM clock_timestamp())"
        if database.dialect == "postgresql"
        else "SELECT (julianday('now') - 2440587.5) * 86400.0"
    )
    with database.read() as connection:
        return float(connection.execute(text(sql)).scalar_one())
