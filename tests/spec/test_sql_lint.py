"""The SQL lint itself, and what Citus refuses in a schema, for all DDL."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Table

from ehr import cli
from ehr.store.rules import RULES
from ehr.store.tables import metadata
from tests.sql_lint import EXCEPTIONS, KEY, violations

GOOD = {
    "one row": "SELECT r.id FROM resource r WHERE r.patient_key = %s",
    "join on the key": "SELECT 1 FROM resource r "
    "JOIN version v ON v.patient_key = r.patient_key AND v.rid = r.rid",
    "exists on the key": "SELECT r.id FROM resource r WHERE EXISTS (SELECT 1 FROM token t "
    "WHERE t.patient_key = r.patient_key AND t.rid = r.rid AND t.param = %s)",
    "in with the key": "SELECT r.id FROM resource r WHERE (r.patient_key, r.rid) IN "
    "(SELECT t.patient_key, t.rid FROM token t WHERE t.param = %s)",
    "in with the key of a member": "SELECT r.id FROM resource r WHERE (r.patient_key, r.rid) IN "
    "(SELECT m.owner_key, m.rid FROM member m WHERE m.member_key = %s)",
    "in a list": "SELECT r.id FROM resource r WHERE r.rid IN (%s, %s)",
    "in of both branches": "SELECT 1 FROM resource r WHERE (r.patient_key, r.rid) IN (SELECT "
    "patient_key, rid FROM token UNION SELECT patient_key, rid FROM uri)",
    "join with parameters": "SELECT r.id FROM unnest(%b::bigint[]) AS u (k) "
    "JOIN resource r ON r.patient_key = u.k",
    "delete by parameters": "DELETE FROM token USING unnest(%b::bigint[]) AS u (patient_key) "
    "WHERE token.patient_key = u.patient_key",
    "delete of orphans": "DELETE FROM token WHERE NOT EXISTS (SELECT 1 FROM resource r "
    "WHERE r.patient_key = token.patient_key AND r.rid = token.rid)",
    "tables of reference": "SELECT a.name FROM database_fact a JOIN counter b ON a.name = b.name",
    "sets subtracted": "SELECT txn_id, 0 FROM version EXCEPT SELECT txn_id, 0 FROM txn",
    "independent inserts": "WITH w0 AS (INSERT INTO token (patient_key) SELECT u.k FROM "
    "unnest($1) AS u (k)) INSERT INTO uri (patient_key) SELECT u.k FROM unnest($2) AS u (k)",
    "independent deletes": "WITH w0 AS (DELETE FROM token USING unnest($1) AS u (k) WHERE "
    "token.patient_key = u.k) DELETE FROM uri USING unnest($2) AS u (k) "
    "WHERE uri.patient_key = u.k",
    "a common table read": "WITH t AS (SELECT patient_key, rid FROM token WHERE param = 1) "
    "SELECT 1 FROM resource r JOIN t ON t.patient_key = r.patient_key AND t.rid = r.rid",
    "new key for an address": "UPDATE locator SET patient_key = %s WHERE type = %s AND id = %s",
    "a cursor": "DECLARE slices NO SCROLL CURSOR FOR SELECT 1 FROM resource r "
    "JOIN version v ON v.patient_key = r.patient_key",
    "transactions among themselves": "UPDATE txn SET commit_seq = f.n FROM (SELECT txn_id, "
    "row_number() OVER (ORDER BY xid) AS n FROM txn) f WHERE txn.txn_id = f.txn_id",
}
BAD = {
    "join without the key": "SELECT 1 FROM resource r JOIN reference f ON f.target_rid = r.rid",
    "list of tables": "SELECT 1 FROM resource a, resource b WHERE a.rid = b.rid",
    "left join without the key": "SELECT 1 FROM resource r LEFT JOIN token t ON t.rid = r.rid",
    "key in one of two": "SELECT 1 FROM resource r JOIN token t ON t.patient_key = r.patient_key "
    "OR t.rid = r.rid",
    "key denied": "SELECT 1 FROM resource r JOIN token t ON t.rid = r.rid "
    "AND NOT (t.patient_key = r.patient_key)",
    "key of two of three": "SELECT 1 FROM resource r JOIN version v ON "
    "v.patient_key = r.patient_key JOIN token t ON t.rid = r.rid",
    "join with an address": "SELECT 1 FROM resource r JOIN locator l ON l.id = r.id",
    "join with a member": "SELECT 1 FROM resource r JOIN member m ON m.rid = r.rid",
    "join with a transaction": "SELECT 1 FROM version v JOIN txn t ON t.txn_id = v.txn_id",
    "exists without the key": "SELECT 1 FROM resource r WHERE EXISTS "
    "(SELECT 1 FROM token t WHERE t.rid = r.rid)",
    "exists of a transaction": "SELECT 1 FROM version v WHERE NOT EXISTS "
    "(SELECT 1 FROM txn t WHERE t.txn_id = v.txn_id)",
    "exists within a transaction": "SELECT 1 FROM txn t WHERE NOT EXISTS "
    "(SELECT 1 FROM version v WHERE v.txn_id = t.txn_id)",
    "scalar without the key": "SELECT (SELECT max(v.version) FROM version v "
    "WHERE v.rid = r.rid) FROM resource r",
    "in without the key": "SELECT 1 FROM resource r WHERE r.rid IN (SELECT t.rid FROM token t)",
    "in without the key, bare": "SELECT id FROM resource WHERE rid IN (SELECT rid FROM token)",
    "not in without the key": "SELECT 1 FROM resource r WHERE r.rid NOT IN "
    "(SELECT t.rid FROM token t)",
    "in with the key elsewhere": "SELECT 1 FROM resource r WHERE (r.patient_key, r.rid) IN "
    "(SELECT t.rid, t.patient_key FROM token t)",
    "in of one bad branch": "SELECT 1 FROM resource r WHERE (r.patient_key, r.rid) IN (SELECT "
    "patient_key, rid FROM token UNION ALL SELECT rid, rid FROM uri)",
    "in through a common table": "WITH t AS (SELECT rid FROM token) SELECT 1 FROM resource r "
    "WHERE r.rid IN (SELECT rid FROM t)",
    "any without the key": "SELECT 1 FROM resource r WHERE r.rid = ANY (SELECT t.rid FROM token t)",
    "compared with a scalar": "SELECT 1 FROM resource r WHERE r.rid = "
    "(SELECT max(t.rid) FROM token t)",
    "delete by in": "DELETE FROM token WHERE rid IN (SELECT rid FROM resource WHERE deleted)",
    "update by in": "UPDATE resource SET deleted = true WHERE rid IN (SELECT rid FROM version)",
    "update from": "UPDATE resource SET deleted = true FROM version v WHERE v.rid = resource.rid",
    "delete using": "DELETE FROM token USING resource r WHERE token.rid = r.rid",
    "delete of orphans by row": "DELETE FROM token WHERE NOT EXISTS "
    "(SELECT 1 FROM resource r WHERE r.rid = token.rid)",
    "join with a subquery": "SELECT 1 FROM resource r "
    "JOIN (SELECT patient_key, rid FROM token) t ON t.rid = r.rid",
    "join with a common table": "WITH t AS (SELECT patient_key, rid FROM token) "
    "SELECT 1 FROM resource r JOIN t ON t.rid = r.rid",
    "locks of several shards": "SELECT 1 FROM resource r WHERE r.rid = %s FOR UPDATE",
    "change that feeds a change": "WITH gone AS (DELETE FROM token WHERE patient_key = 1 RETURNING "
    "rid) INSERT INTO uri (rid) SELECT rid FROM gone",
    "change inside a select": "WITH gone AS (DELETE FROM token WHERE patient_key = 1 RETURNING rid)"
    " SELECT count(*) FROM gone",
    "bad part of independent changes": "WITH w0 AS (DELETE FROM token USING resource r WHERE "
    "token.rid = r.rid) DELETE FROM uri WHERE patient_key = 1",
    "row moved to another shard": "UPDATE resource SET patient_key = %s WHERE rid = %s",
    "address moved to another shard": "UPDATE locator SET id = %s WHERE rid = %s",
    "cursor without the key": "DECLARE slices NO SCROLL CURSOR FOR SELECT 1 FROM resource r "
    "JOIN version v ON v.rid = r.rid",
    "unreadable": "SELECT FROM WHERE resource",
}


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", GOOD)
def test_what_stays_within_the_key_passes(name: str, dialect: str) -> None:
    if dialect == "postgresql" or not _POSTGRES_ONLY.search(GOOD[name]):
        assert violations(dialect, GOOD[name]) == []


@pytest.mark.parametrize("name", BAD)
def test_what_leaves_the_key_is_found(name: str) -> None:
    assert violations("postgresql", BAD[name])


_POSTGRES_ONLY = re.compile(r"unnest|\bUSING\b|\$\d")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("v.patient_key = r.patient_key AND ", "", id="key-left-out"),
        pytest.param("v.patient_key = r.patient_key", "v.rid = r.patient_key", id="key-mistaken"),
        pytest.param(" AND v.rid = r.rid", " OR v.rid = r.rid", id="or-for-and"),
    ],
)
def test_statements_of_ours_that_lose_their_key_are_found(before: str, after: str) -> None:
    """The lint sees through the real texts, not only through small ones."""
    mutants = [rule.broken.replace(before, after) for rule in RULES if before in rule.broken]

    assert mutants
    assert all(violations("postgresql", sql) for sql in mutants)


def test_no_cursor_hides_a_statement() -> None:
    """Who runs a statement on the driver's own cursor tells the observers of it."""
    root = Path(__file__).resolve().parents[2]
    found = {
        path.relative_to(root).as_posix()
        for package in ("ehr", "auth")
        for path in (root / package).rglob("*.py")
        if re.search(r"\.cursor\(\)|\.pgconn\.", path.read_text("utf-8"))
    }

    assert found == {
        "ehr/store/contents.py",  # COPY of rows as they are
        "ehr/store/engine.py",
        "ehr/store/insert.py",
        "ehr/store/references.py",
        "ehr/store/sessions/prepared.py",
        "ehr/store/sessions/sqlite_writer.py",  # BEGIN, SAVEPOINT, COMMIT
        "ehr/store/statement_cost.py",  # EXPLAIN of texts that ran
    }


def test_a_statement_of_a_command_is_seen(
    database_url: str, monkeypatch: pytest.MonkeyPatch, ran: set[tuple[str, str]]
) -> None:
    monkeypatch.setenv("EHR_DATABASE_URL", database_url)
    ran.clear()

    cli.run(["check", "--deep"])

    assert any("EXCEPT SELECT txn_id" in sql for _, sql in ran)


def test_every_exception_has_its_reason() -> None:
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())


TABLES = [pytest.param(table, id=table.name) for table in metadata.sorted_tables]


@pytest.mark.parametrize("table", TABLES)
def test_keys_and_unique_indexes_have_the_distribution_column(table: Table) -> None:
    column = table.info["citus"]
    if column == "reference":
        return

    assert column in table.columns
    assert column in [part.name for part in table.primary_key]
    for index in table.indexes:
        assert not index.unique or column in [part.name for part in index.columns], index.name


@pytest.mark.parametrize("table", TABLES)
def test_foreign_keys_stay_on_the_shard(table: Table) -> None:
    for constraint in table.foreign_key_constraints:
        target = constraint.referred_table
        pairs = {(e.parent.name, e.column.name) for e in constraint.elements}

        if target.info["citus"] != "reference":
            assert (table.info["citus"], target.info["citus"]) in pairs, constraint.name


@pytest.mark.parametrize("table", TABLES)
def test_a_key_leads_its_primary_key(table: Table) -> None:
    if table.info["citus"] == KEY:
        assert next(iter(table.primary_key)).name == KEY
