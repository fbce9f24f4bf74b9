"""The change feed: committed transactions are numbered densely, each once."""

import time

from sqlalchemy import select

from ehr.record import Record
from ehr.store import feed
from ehr.store.tables import txn
from tests import given
from tests.client import Client

# PostgreSQL's oldest open transaction is that of the whole server: tests beside this one, in
# databases of their own, hold the numbers back for as long as their writes take.
PATIENCE = 60


def test_transactions_are_numbered_without_a_gap(client: Client, record: Record) -> None:
    for _ in range(3):
        client.create(given.patient())

    deadline = time.monotonic() + PATIENCE
    while None in _numbers(record) and time.monotonic() < deadline:
        feed.stamp(record.database)

    assert _numbers(record) == [1, 2, 3]
    assert feed.stamp(record.database) == 0


def _numbers(record: Record) -> list[int | None]:
    with record.database.read() as connection:
        numbers = connection.execute(select(txn.c.commit_seq).order_by(txn.c.commit_seq))
        return list(numbers.scalars())
