"""After many rows came in: statistics for the planner, stamps for the feed."""

from sqlalchemy import Connection, text

from ehr.store import feed
from ehr.store.engine import Database, is_postgres


def settle(database: Database) -> None:
    """Refresh the planner's statistics and number what was committed."""

    def analyse(connection: Connection) -> None:
        if not is_postgres(connection):
            connection.execute(text("PRAGMA analysis_limit=1000"))
        connection.execute(text("ANALYZE"))

    database.write(analyse)
    feed.stamp(database)
