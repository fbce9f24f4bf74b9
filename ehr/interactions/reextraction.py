"""The index rows that a stored resource should have, made again from its body."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ehr.interactions.drafting import resource_of
from ehr.record import Record
from ehr.store import index_rows
from ehr.store.drafts import Current, Draft, Method, Write, Written
from ehr.store.locator import locate
from ehr.store.resolve import Keys
from ehr.store.rows import IndexRows

if TYPE_CHECKING:
    from sqlalchemy import Connection


def current_of(done: Written) -> Current:
    """Return a version that was read as one that is the newest."""
    return Current(
        done.patient_key, done.rid, done.type, done.id, done.version, done.last_updated, False,
        0, 0, None, None, None, 0, None, done.stored,
    )  # fmt: skip


def rows_of(record: Record, current: Current, stamp: int | None = None) -> IndexRows:
    """Return the rows by the definitions in force, or by those that a stamp names."""
    definitions = record.definitions
    indexer = definitions.indexer if stamp is None else definitions.indexer_of(stamp)
    return indexer.rows(resource_of(current))


def keys_of(record: Record, connection: "Connection", rows: Iterable[IndexRows]) -> Keys:
    """Return the keys of what these rows refer to."""
    names = {
        (row.type, row.id)
        for some in rows
        for row in some.links()
        if row.type is not None and row.id is not None
    }
    known = locate(connection, names)
    return Keys(record.database.hasher, iter(()), iter(()), known=known)


def table_rows(
    current: Current, rows: IndexRows, keys: Keys, before: IndexRows | None = None
) -> tuple[index_rows.Batch, index_rows.Batch]:
    """Return the keys of table rows that go and the rows that come, by table.

    Without rows of `before`, every row comes.
    """
    draft = Draft(current.type, {}, current.stored, b"", rows, 0, 0, None, None, None)
    write = Write(Method.PUT, current.type, current.id, draft=draft, previous=before)
    done = Written(
        200, current.type, current.id, current.version, current.last_updated,
        current.patient_key, current.rid, current.stored,
    )  # fmt: skip
    gone: index_rows.Batch = {}
    made: index_rows.Batch = {}
    index_rows.difference(write, done, keys, gone, made)
    return gone, made
