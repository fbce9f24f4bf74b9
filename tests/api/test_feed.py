"""The change feed: committed transactions are numbered densely, each once."""

from sqlalchemy import select

from ehr.record import Record
from ehr.store import feed
from ehr.store.tables import txn
from tests import given
from tests.client import Client


def test_transactions_are_numbered_without_a_gap(client: Client, record: Record) -> None:
    for _ in range(3):
        client.create(given.patient())

    feed.stamp(record.database)

    assert feed.stamp(record.database) == 0
    with record.database.read() as connection:
        numbers = connection.execute(select(txn.c.commit_seq).order_by(txn.c.commit_seq))
        assert numbers.scalars().all() == [1, 2, 3]
