"""How many rows a SELECT finds, as the database guesses from its statistics.

PostgreSQL's planner tells without reading a row. SQLite has no such number.
"""

from typing import Any

from sqlalchemy import Connection, Select

from ehr.store.engine import is_postgres


def estimated_rows(connection: Connection, statement: Select[Any]) -> int | None:
    """Return the planner's number; None where the engine has none."""
    if not is_postgres(connection):
        return None
    compiled = statement.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    explain = f"EXPLAIN (FORMAT JSON) {compiled}"
    told = connection.exec_driver_sql(explain, compiled.params).scalar_one()
    rows: int = told[0]["Plan"]["Plan Rows"]
    return rows
