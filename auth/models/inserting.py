"""Insert a row where its key is not taken yet: what may happen once only is decided by it."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row; tell whether it was new. On both engines one atomic statement."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(values).on_conflict_do_nothing()
    # Of an INSERT the count is kept only where it is asked for.
    kept = statement.execution_options(preserve_rowcount=True)
    return connection.execute(kept).rowcount == 1
