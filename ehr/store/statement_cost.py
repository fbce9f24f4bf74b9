"""What a statement costs: its query plan with the indexes used, rows given and read, and time.

The statement runs again by itself. PostgreSQL counts the rows it reads (EXPLAIN ANALYZE); SQLite
counts none, so there the instructions of its virtual machine tell of the work. Texts in a plan may
be record content and are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

from psycopg import RawCursor
from sqlalchemy import Connection

from ehr.store.engine import is_postgres
from ehr.store.sessions.time_limit import instructions
from ehr.store.trace import Traced

_QUOTED = re.compile(r"'(?:[^']|'')*'")
_USING = re.compile(r"(?:SEARCH|SCAN) (\S+) USING (?:COVERING )?(?:INDEX (\S+)|(PRIMARY KEY))")
_CONDITIONS = ("Index Cond", "Recheck Cond", "Filter", "Hash Cond", "Merge Cond", "Join Filter")
_NUMBERED = "$1"  # marks of a statement that PostgreSQL prepares
_REMOVED = "Rows Removed by "


@dataclass(slots=True)
class Cost:
    """What one statement costs. What was not run, or is not counted here, is None."""

    plan: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    rows: int | None = None
    rows_read: int | None = None
    instructions: int | None = None
    milliseconds: float | None = None


def cost(connection: Connection, one: Traced, *, runs: bool = True) -> Cost:
    """Return what a statement costs; where it may not run again, only how it would."""
    found = Cost()
    if is_postgres(connection):
        _explain_postgres(connection, one, found, runs=runs)
    else:
        _explain_sqlite(connection, one, found, runs=runs)
    if runs:
        began = perf_counter()
        found.rows = len(_execute(connection, one.sql, one.parameters))
        found.milliseconds = round((perf_counter() - began) * 1000, 3)
    return found


def _execute(connection: Connection, sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    # On the driver's own cursor: the text is as it came there the first time.
    cursor: Any = connection.connection.cursor()
    if _NUMBERED in sql:
        cursor = RawCursor(cast("Any", connection.connection.driver_connection))
    try:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
    finally:
        cursor.close()


def _explain_sqlite(connection: Connection, one: Traced, found: Cost, *, runs: bool) -> None:
    depths = {0: -1}
    for number, parent, _, text in _execute(
        connection, f"EXPLAIN QUERY PLAN {one.sql}", one.parameters
    ):
        depths[number] = depth = depths.get(parent, -1) + 1
        found.plan.append("  " * depth + _without_texts(text))
        used = _USING.match(text)
        if used is not None:
            found.indexes.append(f"{used[1]}: {used[2] or 'primary key'}")
    if runs:
        driver: Any = connection.connection.driver_connection
        with instructions(driver, connection.info) as counted:
            _execute(connection, one.sql, one.parameters)
        found.instructions = counted[0]


def _explain_postgres(connection: Connection, one: Traced, found: Cost, *, runs: bool) -> None:
    how = "ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON" if runs else "FORMAT JSON"
    [(told,)] = _execute(connection, f"EXPLAIN ({how}) {one.sql}", one.parameters)
    read = 0
    for node, depth in _nodes(told[0]["Plan"], 0):
        found.plan.append("  " * depth + _node_text(node))
        if "Index Name" in node:
            table = node.get("Alias") or node.get("Relation Name") or ""
            found.indexes.append(": ".join(filter(None, (table, node["Index Name"]))))
        if "Relation Name" in node and runs:
            removed = sum(node[name] for name in node if name.startswith(_REMOVED))
            read += round((node["Actual Rows"] + removed) * node["Actual Loops"])
    found.rows_read = read if runs else None


def _nodes(node: dict[str, Any], depth: int) -> Iterator[tuple[dict[str, Any], int]]:
    yield node, depth
    for inner in node.get("Plans", ()):
        yield from _nodes(inner, depth + 1)


def _node_text(node: dict[str, Any]) -> str:
    words = [node["Node Type"]]
    if "Index Name" in node:
        words.append(f"using {node['Index Name']}")
    if "Relation Name" in node:
        words.append(f"on {node['Relation Name']} {node['Alias']}")
    if "Actual Rows" in node:
        words.append(f"(rows {node['Actual Rows']:g}, loops {node['Actual Loops']:g})")
    words += [f"[{name}: {node[name]}]" for name in _CONDITIONS if name in node]
    return _without_texts(" ".join(words))


def _without_texts(text: str) -> str:
    return _QUOTED.sub("'…'", text)
