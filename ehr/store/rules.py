"""What must hold between tables: questions in SQL whose answer should be no row.

Each SELECT gives what to name in an example: (patient_key, rid) of a resource, or what `Rule.of`
says. What needs the bodies is asked in `ehr/bulk/`; here is what SQL alone can tell. No question
joins two record rows but on their key; sets that lie elsewhere are subtracted (EXCEPT).
"""

from dataclasses import dataclass

from sqlalchemy import Table

from ehr.store.contained import container_in_sql
from ehr.store.drafts import Method
from ehr.store.tables import (
    date,
    full_text,
    identifier_locator,
    member,
    position,
    quantity,
    reference,
    string,
    token,
    uri,
)
from fhir_profiles.definitions import type_number

INDEX_TABLES: tuple[Table, ...] = (
    token,
    date,
    string,
    quantity,
    uri,
    full_text,
    position,
    reference,
)
DERIVED_TABLES: tuple[Table, ...] = (*INDEX_TABLES, identifier_locator, member)

_BACKUP = "Restore from a backup, or report it to the maintainers."
_REBUILD = "Run `ehr check --deep --repair`: it removes index rows that belong to nothing."
_NUMBERS = (
    "Stop the servers before anything else is written: new rows would get numbers that are taken. "
    "Restore from a backup, or report it to the maintainers."
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold: the SELECT of rows that break it, and what to do then.

    `of` tells what a row names: a "resource" by key and rid, a "transaction", a "content" by key
    and id, or a "number" by the counter's name and the highest one in use.
    """

    name: str
    broken: str
    remedy: str = _BACKUP
    of: str = "resource"


def _orphans(table: Table, key: str = "patient_key") -> Rule:
    there = f"r.patient_key = t.{key} AND r.rid = {container_in_sql('t.rid')} AND r.deleted = false"
    orphans = f"SELECT t.{key}, t.rid FROM {table.name} t"  # noqa: S608  our own names
    return Rule(
        f"every {table.name} row belongs to a resource that is there",
        f"{orphans} WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE {there})",  # noqa: S608  as above
        _REBUILD,
    )


def _counter(name: str, column: str, table: str) -> Rule:
    counted = f"coalesce((SELECT next FROM counter WHERE name = '{name}'), 1)"  # noqa: S608  as above
    highest = f"SELECT '{name}', max({column}) FROM {table} HAVING max({column}) >= {counted}"  # noqa: S608  as above
    return Rule(f"the counter of {name} numbers is ahead of {table}", highest, _NUMBERS, "number")


_PATIENT = type_number("Patient")

RULES: tuple[Rule, ...] = (
    Rule(
        "the current row is the newest version",
        "SELECT r.patient_key, r.rid FROM resource r LEFT JOIN version v ON v.patient_key = "  # noqa: S608  a number of ours
        "r.patient_key AND v.rid = r.rid AND v.version = r.version WHERE v.version IS NULL OR "
        "v.last_updated <> r.last_updated OR v.type <> r.type OR v.id <> r.id OR v.txn_id <> "
        "r.txn_id OR v.conf <> r.conf OR v.sens <> r.sens OR "
        "coalesce(v.release_at, 0) <> coalesce(r.release_at, 0) OR "
        f"(v.method = {int(Method.DELETE)}) <> r.deleted",
    ),
    Rule(
        "a resource is of who entered its first version",
        "SELECT r.patient_key, r.rid FROM resource r JOIN version v ON v.patient_key = "
        "r.patient_key AND v.rid = r.rid WHERE v.version = 1 AND ("
        "coalesce(v.author, '') <> coalesce(r.author, '') OR "
        "coalesce(v.author_organisation, '') <> coalesce(r.author_organisation, ''))",
    ),
    Rule(
        "versions count from 1 up to the current one",
        "SELECT r.patient_key, r.rid FROM resource r LEFT JOIN (SELECT patient_key, rid, "
        "count(*) AS n, min(version) AS low, max(version) AS high FROM version GROUP BY "
        "patient_key, rid) v ON v.patient_key = r.patient_key AND v.rid = r.rid WHERE "
        "v.n IS NULL OR v.n <> r.version OR v.low <> 1 OR v.high <> r.version",
    ),
    Rule(
        "every version is of one resource, all its life",
        "SELECT v.patient_key, v.rid FROM version v JOIN resource r ON r.patient_key = "
        "v.patient_key AND r.rid = v.rid WHERE v.type <> r.type OR v.id <> r.id",
    ),
    Rule(
        "times never go back between versions",
        "SELECT v.patient_key, v.rid FROM version v JOIN version w ON w.patient_key = "
        "v.patient_key AND w.rid = v.rid AND w.version = v.version + 1 "
        "WHERE w.last_updated < v.last_updated",
    ),
    Rule(
        "no tombstone follows a tombstone, none comes first",
        "SELECT v.patient_key, v.rid FROM version v LEFT JOIN version w ON w.patient_key = "  # noqa: S608  a number of ours
        "v.patient_key AND w.rid = v.rid AND w.version = v.version - 1 "
        f"WHERE v.method = {int(Method.DELETE)} AND "
        f"(w.version IS NULL OR w.method = {int(Method.DELETE)})",
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
        "only patients who are mentioned have a place reserved",
        "SELECT l.patient_key, l.rid FROM locator l WHERE l.reserved = true AND "  # noqa: S608  as above
        f"(l.type <> {_PATIENT} OR l.patient_key <= 0)",
    ),
    Rule(
        "no two addresses share a row",
        "SELECT min(patient_key), rid FROM locator GROUP BY rid HAVING count(*) > 1",
        _NUMBERS,
    ),
    Rule(
        "no two patients share a key",
        f"SELECT patient_key, max(rid) FROM resource WHERE type = {_PATIENT} "  # noqa: S608  as above
        "GROUP BY patient_key HAVING count(*) > 1 OR patient_key <= 0",
        _NUMBERS,
    ),
    _counter("rid", "rid", "locator"),
    _counter("patient", "patient_key", "locator"),
    _counter("txn", "txn_id", "txn"),
    Rule(
        "every version has its transaction",
        "SELECT txn_id, 0 FROM version EXCEPT SELECT txn_id, 0 FROM txn",
        of="transaction",
    ),
    Rule(
        "every transaction wrote something",
        "SELECT txn_id, 0 FROM txn EXCEPT SELECT txn_id, 0 FROM version",
        of="transaction",
    ),
    Rule(
        "no version is older than its transaction",
        "SELECT v.patient_key, v.rid FROM version v JOIN txn t ON t.txn_id = v.txn_id "
        "WHERE v.last_updated < t.at",
    ),
    Rule(
        "stamps of the feed are dense",
        "SELECT s.txn_id, s.commit_seq FROM (SELECT txn_id, commit_seq, row_number() OVER "
        "(ORDER BY commit_seq, txn_id) AS n FROM txn WHERE commit_seq IS NOT NULL) s "
        "WHERE s.commit_seq <> s.n",
        of="transaction",
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
        "SELECT b.patient_key, b.blob_id FROM blob b WHERE b.linked = true AND NOT EXISTS "
        "(SELECT 1 FROM version v WHERE v.patient_key = b.patient_key AND v.blob_id = b.blob_id)",
        of="content",
    ),
    Rule(
        "every chunk belongs to content",
        "SELECT c.patient_key, c.blob_id FROM blob_chunk c WHERE NOT EXISTS (SELECT 1 FROM blob b "
        "WHERE b.patient_key = c.patient_key AND b.blob_id = c.blob_id)",
        of="content",
    ),
)
