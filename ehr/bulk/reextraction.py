"""A resource extracted again from its body, and the index rows that writing it now would make."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ehr.interactions.drafting import resource_of
from ehr.record import Record
from ehr.store import index_rows
from ehr.store.drafts import Current, Draft, Method, Write, Written
from ehr.store.locator import locate
from ehr.store.resolve import Keys
from ehr.store.rows import IndexRows
from ehr.store.tables import locator


@dataclass(frozen=True, slots=True)
class Extracted:
    """One resource, extracted again."""

    current: Written
    rows: IndexRows

    @property
    def label(self) -> str:
        """Return the address, for people."""
        return f"{self.current.type}/{self.current.id}"


def extracted(record: Record, done: Written) -> Extracted:
    """Return what the indexer makes of a stored body."""
    return Extracted(done, record.indexer.rows(resource_of(_as_current(done))))


def _as_current(done: Written) -> Current:
    return Current(
        done.patient_key, done.rid, done.type, done.id, done.version, done.last_updated, False,
        0, 0, None, None, None, 0, None, done.stored,
    )  # fmt: skip


def keys_of(record: Record, connection: Connection, rows: Sequence[Extracted]) -> Keys:
    """Return the keys of what these resources refer to."""
    names = {
        (row.type, row.id)
        for one in rows
        for row in one.rows.reference
        if row.type is not None and row.id is not None
    }
    known = locate(connection, names)
    return Keys(record.database.hasher, iter(()), iter(()), known=known)


def expected_rows(one: Extracted, keys: Keys) -> index_rows.Batch:
    """Return the index rows that writing this resource now would make."""
    done = one.current
    draft = Draft(done.type, {}, done.stored, b"", one.rows, 0, 0, None, None)
    made: index_rows.Batch = {}
    write = Write(Method.PUT, done.type, done.id, draft=draft)
    index_rows.difference(write, done, keys, {}, made)
    made.pop(locator, None)
    return made
