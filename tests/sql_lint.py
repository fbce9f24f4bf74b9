"""The SQL lint: no statement joins two record rows but on equal `patient_key`.

Every text that runs in the process of the tests, on whichever database, is parsed once; the test
that ran a violation fails (`conftest.py`). So Citus, which refuses such statements, is safe without
Citus at hand. Statements of servers and loaders that tests start as processes of their own are
those of the same functions, which other tests run in theirs.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from ehr.store.tables import metadata

Common = dict[str, exp.Expression]  # the statement's WITH parts by name
Pairs = defaultdict[int, list[tuple[str, str]]]  # of aliases, by the identity of the scope

KEY = "patient_key"
_KEYS = frozenset({KEY, "owner_key", "member_key", "target_key"})
_COLUMN = {t.name: t.info["citus"] for t in metadata.tables.values()}  # of distribution
RECORD = frozenset(name for name, column in _COLUMN.items() if column == KEY)
# Distributed otherwise: a join with a record row is one statement on one node and two on Citus.
LOCATORS = frozenset({"locator", "identifier_locator", "member"})
# Distributed otherwise, and no business of a record row's statement.
APART = frozenset(_COLUMN) - RECORD - LOCATORS - {n for n, c in _COLUMN.items() if c == "reference"}
_CHANGES = (exp.Insert, exp.Update, exp.Delete)

# A statement that matches runs in steps on Citus; the reason says which.
EXCEPTIONS: dict[str, str] = {
    # Only with the order: locks taken in another would deadlock.
    r"ORDER BY r\.patient_key(, r\.rid)? FOR (NO KEY UPDATE|KEY SHARE|UPDATE) OF r$": (
        "row locks: one statement per key, in sorted order"
    ),
    r"^UPDATE reference SET target_key": "adoption: found by hash on each shard, set where found",
    r"^(SELECT count\(\*\) FROM \()?SELECT v\.patient_key, v\.rid FROM version v JOIN txn t ON "
    r"t\.txn_id = v\.txn_id WHERE v\.last_updated < t\.at": (
        "ehr check: transactions are copied to each shard first, as a temporary reference table"
    ),
}
_UNPARSED = re.compile(
    r"^\s*(PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|VACUUM|ANALYZE|CREATE|DROP|ALTER"
    r"|SELECT pg_advisory|select pg_catalog|ATTACH|DETACH|COPY|FETCH|CLOSE)\b",
    re.IGNORECASE,
)
# What a cursor is declared for is a statement like others.
_CURSOR = re.compile(r"^\s*DECLARE \w+ (NO SCROLL )?CURSOR FOR\s+", re.IGNORECASE)
_MARKS = re.compile(r"%\(\w+\)[sbt]|%[sbt]|\$\d+|(?<![\w:]):[a-z_]\w*")


def violations(dialect: str, sql: str) -> list[str]:
    """Return what is wrong with one statement."""
    sql = _CURSOR.sub("", sql).strip()
    if _UNPARSED.match(sql) or any(re.search(text, sql) for text in EXCEPTIONS):
        return []
    return list(_cached(dialect, sql))


@cache
def _cached(dialect: str, sql: str) -> tuple[str, ...]:
    if not any(re.search(rf"\b{name}\b", sql) for name in _COLUMN):
        return ()
    readable = _MARKS.sub("NULL", sql).replace("?", "NULL") if "?" in sql or "%" in sql else sql
    try:
        tree = sqlglot.parse_one(readable, dialect="postgres" if dialect != "sqlite" else "sqlite")
    except ParseError as error:
        return (f"the lint can't read it: {str(error)[:200]}",)
    return tuple(_faults(tree))


def _faults(tree: exp.Expression) -> Iterator[str]:
    common = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
    pairs, columns = _equal_keys(tree), _own_columns(tree)
    yield from _dependent_changes(tree, common)
    for select in tree.find_all(exp.Select):
        yield from _unkeyed(_sources(select, common), pairs[id(select)])
        yield from _correlated(select, common, pairs, columns[id(select)])
        if select.args.get("locks"):
            yield "it locks rows of several shards"
    for change in tree.find_all(exp.Update, exp.Delete):
        yield from _unkeyed(_changed(change, common), pairs[id(change)])
    for update in tree.find_all(exp.Update):
        yield from _moved(update)
    for part in tree.find_all(exp.In, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE):
        yield from _half_joined(part, common)


def _dependent_changes(tree: exp.Expression, common: Common) -> Iterator[str]:
    """Parts of one statement that each change a table: Citus takes them one after another.

    `ehr/store/insert.py` sends them together and keeps them apart (ehr/README.md, "One insert for
    all tables"), so they pass as long as no part needs another's rows.
    """
    changing = {name for name, part in common.items() if isinstance(part, _CHANGES)}
    if not changing:
        return
    if not isinstance(tree, _CHANGES):
        yield "it changes tables inside a SELECT"
    if changing & {table.name for table in tree.find_all(exp.Table)} - set(_COLUMN):
        yield "one of its changes needs the rows of another"


def _moved(update: exp.Update) -> Iterator[str]:
    """The column of distribution never changes: the row would have to change its shard."""
    column = _COLUMN.get(update.this.name)
    for assigned in update.expressions:
        if isinstance(assigned, exp.EQ) and assigned.this.name == column:
            yield f"it sets {column}, by which {update.this.name} is distributed"


def _half_joined(part: exp.Expression, common: Common) -> Iterator[str]:
    """`rid IN (SELECT rid …)` joins record rows as much as JOIN does."""
    inner = part.args.get("query") if isinstance(part, exp.In) else part.expression
    inner = inner.this if isinstance(inner, exp.Any | exp.All) else inner
    inner = inner.this if isinstance(inner, exp.Subquery) else inner
    scope = part.find_ancestor(exp.Select, exp.Update, exp.Delete)
    if not isinstance(inner, exp.Query) or scope is None:
        return
    around = _rows(scope, common)
    left = part.this.expressions if isinstance(part.this, exp.Tuple) else [part.this]
    names = [one.name for one in left if isinstance(one, exp.Column)]
    here = {one.table for one in left if isinstance(one, exp.Column)}
    if not around or not names or not (here & {*around, ""}):
        return
    for select in _branches(inner):
        picked = [one.alias_or_name for one in select.expressions]
        is_keyed = any(a in _KEYS and b in _KEYS for a, b in zip(names, picked, strict=False))
        if _is_of_record(select, common) and not is_keyed:
            yield f"{' and '.join(names)} of {', '.join(around.values())} is compared without {KEY}"


def _branches(query: exp.Expression) -> Iterator[exp.Select]:
    if isinstance(query, exp.Select):
        yield query
    elif isinstance(query, exp.SetOperation):
        yield from _branches(query.left)
        yield from _branches(query.right)
    elif isinstance(query, exp.Subquery):
        yield from _branches(query.this)


def _is_of_record(select: exp.Select, common: Common) -> bool:
    """Tell whether rows of the record come out of a SELECT, through whatever is between."""
    names = {table.name for table in select.find_all(exp.Table)}
    through = [common[name] for name in names if name in common]
    names |= {table.name for part in through for table in part.find_all(exp.Table)}
    return bool(names & RECORD)


def _rows(scope: exp.Expression, common: Common) -> dict[str, str]:
    return _changed(scope, common) if isinstance(scope, _CHANGES) else _sources(scope, common)


def _sources(select: exp.Expression, common: Common) -> dict[str, str]:
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
            if inner is None and table.name in RECORD | LOCATORS | APART:
                found[table.alias_or_name] = table.name
        if inner is not None and KEY in getattr(inner, "named_selects", ()):
            found[table.alias_or_name] = KEY
    return found


def _equal_keys(tree: exp.Expression) -> Pairs:
    """Return the pairs of aliases whose keys a conjunction makes equal, in each scope or within it.

    Scopes by identity. Read once for all of them: statements nest scopes by the dozen.
    """
    found: Pairs = defaultdict(list)
    for equal in tree.find_all(exp.EQ):
        left, right = equal.this, equal.expression
        are_keys = all(isinstance(one, exp.Column) and one.name in _KEYS for one in (left, right))
        if are_keys and not _is_optional(equal):
            for scope in _around(equal):
                found[id(scope)].append((left.table, right.table))
    return found


def _is_optional(part: exp.Expression) -> bool:
    """Tell whether a condition may be false in a row that is found all the same."""
    above = part.parent
    while above is not None and not isinstance(above, exp.Select | exp.Join | exp.Where):
        if isinstance(above, exp.Or | exp.Not):
            return True
        above = above.parent
    return False


def _unkeyed(sources: dict[str, str], pairs: list[tuple[str, str]]) -> Iterator[str]:
    if len(sources) < 2 or APART.issuperset(sources.values()):
        return
    leader = _leaders(pairs)
    if len({leader(alias) for alias in sources}) > 1:
        shown = ", ".join(f"{table} {alias}" for alias, table in sources.items())
        yield f"it joins {shown} without equal {KEY}"


def _leaders(pairs: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """Return what names one alias for all whose keys are equal."""
    groups: dict[str, str] = {}

    def leader(alias: str) -> str:
        while groups.get(alias, alias) != alias:
            alias = groups[alias]
        return alias

    for left, right in pairs:
        groups[leader(left)] = leader(right)
    return leader


def _correlated(
    select: exp.Select, common: Common, pairs: Pairs, columns: set[str]
) -> Iterator[str]:
    """A subquery that looks at a row outside of it must do so on the key."""
    inner = _sources(select, common)
    outer = {k: v for one in _around(select) for k, v in _rows(one, common).items()}
    used = columns & outer.keys() - inner.keys()
    leader = _leaders(pair for one in (select, *_around(select)) for pair in pairs[id(one)])
    here = {leader(alias) for alias in inner}
    keyed = {alias for alias in outer if leader(alias) in here}
    tables = {*inner.values(), *(outer[name] for name in used)}
    if inner and used - keyed and not APART.issuperset(tables):
        yield f"its subquery on {', '.join(inner.values())} is correlated without the key"


def _around(part: exp.Expression) -> Iterator[exp.Expression]:
    outer = part.find_ancestor(exp.Select, exp.Update, exp.Delete)
    while outer is not None:
        yield outer
        outer = outer.find_ancestor(exp.Select, exp.Update, exp.Delete)


def _own_columns(tree: exp.Expression) -> dict[int, set[str]]:
    """Return of each SELECT, by identity, the aliases whose columns it reads itself."""
    found: dict[int, set[str]] = defaultdict(set)
    for column in tree.find_all(exp.Column):
        found[id(column.find_ancestor(exp.Select))].add(column.table)
    return found
