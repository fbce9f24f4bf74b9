"""What must hold between tables, as questions whose answer should be no row.

Index rows against bodies need extraction and are compared in `ehr/bulk/deep_check.py`; here is what
SQL alone can tell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, Table, text

from ehr.store.drafts import Method
from ehr.store.engine import execute_raw, is_postgres
from ehr.store.scan import Row
from ehr.store.tables import (
    blob,
    blob_chunk,
    date,
    identifier_locator,
    member,
    quantity,
    reference,
    string,
    token,
    uri,
)

INDEX_TABLES: tuple[Table, ...] = (token, date, string, quantity, uri, reference)
DERIVED_TABLES: tuple[Table, ...] = (*INDEX_TABLES, identifier_locator, member)
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold: what to call it, and the SELECT of rows that break it."""

    name: str
    broken: str


def _orphans(table: Table, key: str = "patient_key") -> Rule:
    there = f"r.patient_key = t.{key} AND r.rid = t.rid AND r.deleted = false"
    orphans = f"SELECT t.{key}, t.rid FROM {table.name} t"  # noqa: S608  our own names
    return Rule(
        f"every {table.name} row belongs to a resource that is there",
        f"{orphans} WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE {there})",  # noqa: S608
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "the current row is the newest version",
        "SELECT r.patient_key, r.rid FROM resource r "  # noqa: S608  a number of ours
        "LEFT JOIN version v ON v.patient_key = "
        "r.patient_key AND v.rid = r.rid AND v.version = r.version WHERE v.version IS NULL OR "
        "v.last_updated <> r.last_updated OR v.type <> r.type OR v.id <> r.id OR v.txn_id <> "
        "r.txn_id OR v.conf <> r.conf OR v.sens <> r.sens OR "
        f"(v.method = {int(Method.DELETE)}) <> r.deleted",
    ),
    Rule(
        "versions count from 1 up to the current one",
        "SELECT r.patient_key, r.rid FROM resource r LEFT JOIN (SELECT patient_key, rid, "
        "count(*) AS n, min(version) AS low, max(version) AS high FROM version GROUP BY "
        "patient_key, rid) v ON v.patient_key = r.patient_key AND v.rid = r.rid WHERE "
        "v.n IS NULL OR v.n <> r.version OR v.low <> 1 OR v.high <> r.version",
    ),
    Rule(
        "times never go back between versions",
        "SELECT v.patient_key, v.rid FROM version v JOIN version w ON w.patient_key = "
        "v.patient_key AND w.rid = v.rid AND w.version = v.version + 1 "
        "WHERE w.last_updated < v.last_updated",
    ),
    Rule(
        "every resource is found by its address",
        "SELECT r.patient_key, r.rid FROM resource r WHERE NOT EXISTS (SELECT 1 FROM locator l "
        "WHERE l.type = r.type AND l.id = r.id AND l.patient_key = r.patient_key AND "
        "l.rid = r.rid AND l.reserved = false)",
    ),
    Rule(
        "every address leads to its resource",
        "SELECT l.patient_key, l.rid FROM locator l WHERE l.reserved = false AND NOT EXISTS "
        "(SELECT 1 FROM resource r WHERE r.patient_key = l.patient_key AND r.rid = l.rid AND "
        "r.type = l.type AND r.id = l.id)",
    ),
    Rule(
        "every version has its transaction",
        "SELECT v.patient_key, v.rid FROM version v WHERE NOT EXISTS "
        "(SELECT 1 FROM txn t WHERE t.txn_id = v.txn_id)",
    ),
    Rule(
        "every transaction wrote something",
        "SELECT t.txn_id, 0 FROM txn t WHERE NOT EXISTS "
        "(SELECT 1 FROM version v WHERE v.txn_id = t.txn_id)",
    ),
    Rule(
        "stamps of the feed are dense",
        "SELECT s.commit_seq, 0 FROM (SELECT commit_seq, row_number() OVER (ORDER BY commit_seq, "
        "txn_id) AS n FROM txn WHERE commit_seq IS NOT NULL) s WHERE s.commit_seq <> s.n",
    ),
    *(_orphans(table) for table in (*INDEX_TABLES, identifier_locator)),
    _orphans(member, "owner_key"),
    Rule(
        "every version's content is there",
        "SELECT v.patient_key, v.rid FROM version v WHERE v.blob_id IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM blob b WHERE b.patient_key = v.patient_key AND b.blob_id = v.blob_id "
        "AND b.linked = true)",
    ),
    Rule(
        "linked content belongs to a version",
        "SELECT b.patient_key, 0 FROM blob b WHERE b.linked = true AND NOT EXISTS (SELECT 1 FROM "
        "version v WHERE v.patient_key = b.patient_key AND v.blob_id = b.blob_id)",
    ),
)


def broken(connection: Connection, rule: Rule) -> tuple[int, list[Row]]:
    """Return how many rows break a rule, and the first of them."""
    count: int = connection.execute(
        text(f"SELECT count(*) FROM ({rule.broken}) AS broken")  # noqa: S608  texts above
    ).scalar_one()
    if not count:
        return 0, []
    rows = connection.execute(text(f"{rule.broken} LIMIT {_SHOWN}")).all()
    return count, [tuple(row) for row in rows]


def unsound_content(connection: Connection) -> Iterator[tuple[int, str]]:
    """Yield (patient_key, blob_id) of content whose chunks do not add up to its digest."""
    columns = (blob.c.patient_key, blob.c.blob_id, blob.c.size, blob.c.sha256)
    for key, blob_id, size, expected in connection.execute(
        blob.select().with_only_columns(*columns).where(blob.c.linked.is_(True))
    ).all():
        digest, found = sha256(), 0
        chunks = blob_chunk.select().with_only_columns(blob_chunk.c.data).order_by(blob_chunk.c.n)
        here = (blob_chunk.c.patient_key == key) & (blob_chunk.c.blob_id == blob_id)
        for data in connection.execute(chunks.where(here)).scalars():
            digest.update(data)
            found += len(data)
        if found != size or digest.hexdigest() != expected:
            yield key, blob_id


def index_rows(
    connection: Connection, table: Table, patient_key: int, rids: Sequence[int]
) -> dict[int, set[Row]]:
    """Return the rows that an index table has for these resources of one key, by rid.

    `rids` are ascending and hold every resource of the key between the first and the last.
    """
    names = [column.name for column in table.columns]
    key = "owner_key" if table is member else "patient_key"
    mark = "%b" if is_postgres(connection) else "?"
    sql = (
        f"SELECT {', '.join(names)} FROM {table.name} "  # noqa: S608  our own names
        f"WHERE {key} = {mark} AND rid BETWEEN {mark} AND {mark}"
    )
    at = names.index("rid")
    found: dict[int, set[Row]] = {}
    for row in execute_raw(connection, sql, (patient_key, rids[0], rids[-1])).fetchall():
        found.setdefault(row[at], set()).add(tuple(row))
    return found


def clear_index(connection: Connection, patient_key: int, rid: int) -> None:
    """Remove every index row of one resource."""
    for table in DERIVED_TABLES:
        key = table.c.owner_key if table is member else table.c.patient_key
        connection.execute(table.delete().where(key == patient_key, table.c.rid == rid))
