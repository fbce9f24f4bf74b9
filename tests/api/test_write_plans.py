"""On PostgreSQL, writes find rows by their keys from the first rows on, while tables are small."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.client import Client

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.store.engine import Database


def test_a_kept_plan_reads_no_whole_table(
    client: Client, database: "Database", statements: Callable[[], Any]
) -> None:
    if database.dialect != "postgresql":
        pytest.skip("SQLite plans each statement by its text alone")
    mary = client.create(given.patient())
    made = client.create(given.observation(mary))
    database.write(lambda connection: connection.exec_driver_sql("ANALYZE"))
    with statements() as seen:
        client.update(made | {"status": "amended"})
    asked = [sql for sql in seen if sql.startswith("SELECT") and "$2" in sql]

    plans = [database.write(partial(_kept_plan, sql=sql)) for sql in asked]

    assert len(plans) == 3  # rows as they stand, look-up, patient lock
    for plan in plans:
        assert "Index Scan" in plan
        assert "Seq Scan" not in plan


def _kept_plan(connection: "Connection", sql: str) -> str:
    connection.exec_driver_sql(f"PREPARE kept AS {sql}")
    lines = connection.exec_driver_sql("EXPLAIN EXECUTE kept (NULL, NULL)").scalars().all()
    connection.exec_driver_sql("DEALLOCATE kept")
    return "\n".join(lines)
