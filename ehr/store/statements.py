"""Hot statements on either engine: a text with marked parameters, and its rows."""

import itertools
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection

from ehr.store.engine import execute_raw, is_postgres, of
from ehr.store.sessions import prepared
from ehr.store.trace import note

Row = tuple[Any, ...]


def query(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """Run a statement, its parameters marked `?` or `%b` as the engine does; return its rows.

    On PostgreSQL the text is prepared: there must not be a new one for each call.
    """
    if is_postgres(connection):
        note(connection.info, sql, parameters)
        return run_prepared(connection, _numbered(sql), parameters)
    cursor = execute_raw(connection, sql, parameters)
    found: list[Row] = cursor.fetchall()
    cursor.close()
    return found


def run_prepared(
    connection: Connection, sql: str, parameters: Sequence[Any], *, planned_anew: bool = False
) -> list[Row]:
    """Run a statement of PostgreSQL with its own marks, `$1`, `$2` …; return its rows."""
    of(connection).announce(sql)
    return prepared.rows(connection, sql, parameters, planned_anew=planned_anew)


@cache
def _numbered(sql: str) -> str:
    numbers = itertools.count(1)
    return re.sub("%b", lambda _: f"${next(numbers)}", sql)
