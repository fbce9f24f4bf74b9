"""Statements made once: to build and compile one costs more than to run it.

`template_of` turns a Core statement into a text with named values; `run` asks it with other ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects import postgresql

from ehr.store.engine import execute_raw, is_postgres
from ehr.store.statements import Row, run_prepared
from ehr.store.trace import note

_NUMBERED = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Template:
    """SQL text, its values by name, and which of them each mark takes."""

    sql: str
    values: Mapping[str, Any]
    marks: tuple[str, ...]


def template_of(connection: Connection, statement: Select[Any]) -> Template:
    """Return a statement as its engine takes it."""
    compiled: Any = statement.compile(
        dialect=_NUMBERED if is_postgres(connection) else connection.dialect,
        compile_kwargs={"render_postcompile": True},
    )
    return Template(str(compiled), dict(compiled.params), tuple(compiled.positiontup))


def run(connection: Connection, one: Template, changed: Mapping[str, Any]) -> list[Row]:
    """Run a statement with some of its values changed; return all rows."""
    values = [changed[name] if name in changed else one.values[name] for name in one.marks]
    if is_postgres(connection):
        note(connection.info, one.sql, values)
        return run_prepared(connection, one.sql, values)
    cursor = execute_raw(connection, one.sql, values)
    rows: list[Row] = cursor.fetchall()
    cursor.close()
    return rows
