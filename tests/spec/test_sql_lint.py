"""The SQL lint itself, and what Citus refuses in a schema (fhir-servers.md §2.7), for all DDL."""

import pytest

from ehr.store.tables import metadata
from tests.sql_lint import EXCEPTIONS, KEY, violations

GOOD = [
    "SELECT r.id FROM resource r WHERE r.patient_key = %s",
    "SELECT 1 FROM resource r JOIN version v ON v.patient_key = r.patient_key AND v.rid = r.rid",
    "SELECT r.id FROM resource r WHERE EXISTS (SELECT 1 FROM token t "
    "WHERE t.patient_key = r.patient_key AND t.rid = r.rid AND t.param = %s)",
    "SELECT r.id FROM resource r WHERE (r.patient_key, r.rid) IN (SELECT t.patient_key, t.rid "
    "FROM token t WHERE t.param = %s)",
    "SELECT r.id FROM unnest(%b::bigint[]) AS u (k) JOIN resource r ON r.patient_key = u.k",
    "DELETE FROM token USING unnest(%b::bigint[]) AS u (patient_key) "
    "WHERE token.patient_key = u.patient_key",
    "SELECT a.name FROM database_fact a JOIN counter b ON a.name = b.name",
]
BAD = [
    "SELECT 1 FROM resource r JOIN reference f ON f.target_rid = r.rid",
    "SELECT 1 FROM resource a, resource b WHERE a.rid = b.rid",
    "SELECT 1 FROM resource r WHERE EXISTS (SELECT 1 FROM token t WHERE t.rid = r.rid)",
    "SELECT (SELECT max(v.version) FROM version v WHERE v.rid = r.rid) FROM resource r",
    "UPDATE resource SET deleted = true FROM version v WHERE v.rid = resource.rid",
    "DELETE FROM token USING resource r WHERE token.rid = r.rid",
    "SELECT 1 FROM resource r JOIN (SELECT patient_key, rid FROM token) t ON t.rid = r.rid",
    "SELECT 1 FROM resource r WHERE r.rid = %s FOR UPDATE",
    "SELECT FROM WHERE resource",
]


@pytest.mark.parametrize("sql", GOOD, ids=range(len(GOOD)))
def test_what_stays_within_the_key_passes(sql: str) -> None:
    assert violations("postgresql", sql) == []


@pytest.mark.parametrize("sql", BAD, ids=range(len(BAD)))
def test_what_leaves_the_key_is_found(sql: str) -> None:
    assert violations("postgresql", sql)


def test_every_exception_has_its_reason() -> None:
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())


TABLES = [pytest.param(table, id=table.name) for table in metadata.sorted_tables]


@pytest.mark.parametrize("table", TABLES)
def test_keys_and_unique_indexes_have_the_distribution_column(table) -> None:  # type: ignore[no-untyped-def]
    column = table.info["citus"]
    if column == "reference":
        return

    assert column in table.columns
    assert column in [part.name for part in table.primary_key]
    for index in table.indexes:
        assert not index.unique or column in [part.name for part in index.columns], index.name


@pytest.mark.parametrize("table", TABLES)
def test_foreign_keys_stay_on_the_shard(table) -> None:  # type: ignore[no-untyped-def]
    for constraint in table.foreign_key_constraints:
        target = constraint.referred_table
        pairs = {(e.parent.name, e.column.name) for e in constraint.elements}

        if target.info["citus"] != "reference":
            assert (table.info["citus"], target.info["citus"]) in pairs, constraint.name


@pytest.mark.parametrize("table", TABLES)
def test_a_key_leads_its_primary_key(table) -> None:  # type: ignore[no-untyped-def]
    if table.info["citus"] == KEY:
        assert next(iter(table.primary_key)).name == KEY
