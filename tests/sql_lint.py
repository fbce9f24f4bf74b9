"""The SQL lint: no statement joins two record rows but on equal `patient_key` (DESIGN §5).

Every text that a test runs is parsed, once a process, when its database closes; the test that ran a
violation fails. So Citus, which refuses such statements, is safe without Citus at hand.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from ehr.store.tables import metadata

Common = dict[str, exp.Expression]  # the statement's WITH parts by name

KEY = "patient_key"
RECORD = frozenset(t.name for t in metadata.tables.values() if t.info["citus"] == KEY)
# Distributed otherwise: a join with a record row is one statement on one node and two on Citus.
LOCATORS = frozenset({"locator", "identifier_locator", "member"})

# A statement that matches runs in steps on Citus; the reason says which.
EXCEPTIONS: dict[str, str] = {
    # Only with the order: locks taken in another would deadlock.
    r"ORDER BY r\.patient_key(, r\.rid)? FOR (NO KEY UPDATE|KEY SHARE|UPDATE) OF r$": (
        "row locks: one statement per key, in sorted order"
    ),
    r"^UPDATE reference SET target_key": "adoption: found by hash on each shard, set where found",
}
_UNPARSED = re.compile(
    r"^\s*(PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|VACUUM|ANALYZE|CREATE|DROP|ALTER"
    r"|SELECT pg_advisory|select pg_catalog|ATTACH|DETACH|COPY)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"%\(\w+\)[sbt]|%[sbt]|\$\d+|(?<![\w:]):[a-z_]\w*")


def violations(dialect: str, sql: str) -> list[str]:
    """Return what is wrong with one statement."""
    if _UNPARSED.match(sql) or any(re.search(text, sql.strip()) for text in EXCEPTIONS):
        return []
    return list(_cached(dialect, sql))


@cache
def _cached(dialect: str, sql: str) -> tuple[str, ...]:
    if not any(re.search(rf"\b{name}\b", sql) for name in RECORD):
        return ()
    readable = _MARKS.sub("NULL", sql).replace("?", "NULL") if "?" in sql or "%" in sql else sql
    try:
        tree = sqlglot.parse_one(readable, dialect="postgres" if dialect != "sqlite" else "sqlite")
    except ParseError as error:
        return (f"the lint can't read it: {str(error)[:200]}",)
    return tuple(_faults(tree))


def _faults(tree: exp.Expression) -> Iterator[str]:
    common = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
    for select in tree.find_all(exp.Select):
        yield from _unkeyed(_sources(select, common), _equal_keys(select))
        yield from _correlated(select, common)
        if select.args.get("locks"):
            yield "it locks rows of several shards"
    for change in tree.find_all(exp.Update, exp.Delete):
        yield from _unkeyed(_changed(change, common), _equal_keys(change))


def _sources(select: exp.Select, common: Common) -> dict[str, str]:
    """Return the record rows of one FROM clause: alias to table."""
    some = [select.args.get("from_") or select.args.get("from")]
    tables = [part.this for part in some if part is not None]
    tables += [join.this for join in select.args.get("joins") or []]
    return _named(tables, common)


def _changed(change: exp.Expression, common: Common) -> dict[str, str]:
    tables = [change.this]
    for name in ("from_", "from", "using"):
        part = change.args.get(name)
        if isinstance(part, exp.From):
            tables.append(part.this)
        elif isinstance(part, list):
            tables += part
    return _named(tables, common)


def _named(tables: Iterable[exp.Expression], common: Common) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in tables:
        inner = table.this if isinstance(table, exp.Subquery) else None
        if isinstance(table, exp.Table):
            inner = common.get(table.name)
            if inner is None and table.name in RECORD | LOCATORS:
                found[table.alias_or_name] = table.name
        if inner is not None and KEY in getattr(inner, "named_selects", ()):
            found[table.alias_or_name] = KEY
    return found


def _equal_keys(scope: exp.Expression) -> list[tuple[str, str]]:
    """Return the pairs of aliases whose keys a conjunction makes equal, in this scope or around."""
    pairs = []
    for equal in scope.find_all(exp.EQ):
        left, right = equal.this, equal.expression
        if isinstance(left, exp.Column) and isinstance(right, exp.Column):
            names = {left.name, right.name}
            if names <= {KEY, "owner_key", "member_key", "target_key"}:
                pairs.append((left.table, right.table))
    return pairs


def _unkeyed(sources: dict[str, str], pairs: list[tuple[str, str]]) -> Iterator[str]:
    if len(sources) < 2:
        return
    groups = {alias: alias for alias in sources}

    def leader(alias: str) -> str:
        while groups.get(alias, alias) != alias:
            alias = groups[alias]
        return alias

    for left, right in pairs:
        groups[leader(left)] = leader(right)
    if len({leader(alias) for alias in sources}) > 1:
        shown = ", ".join(f"{table} {alias}" for alias, table in sources.items())
        yield f"it joins {shown} without equal {KEY}"


def _correlated(select: exp.Select, common: Common) -> Iterator[str]:
    """A subquery that looks at a row outside of it must do so on the key."""
    inner = _sources(select, common)
    if not inner or select.parent_select is None:
        return
    outer = {name for one in _around(select) for name in _sources(one, common)} - inner.keys()
    used = {column.table for column in _own_columns(select)} & outer
    keyed = {name for pair in _equal_keys(select) for name in pair}
    if used - keyed:
        yield f"its subquery on {', '.join(inner.values())} is correlated without the key"


def _around(select: exp.Select) -> Iterator[exp.Select]:
    outer = select.parent_select
    while outer is not None:
        yield outer
        outer = outer.parent_select


def _own_columns(select: exp.Select) -> Iterator[exp.Column]:
    for column in select.find_all(exp.Column):
        if column.parent_select is select:
            yield column
