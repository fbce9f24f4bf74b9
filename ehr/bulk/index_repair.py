"""Index rows rebuilt from the bodies, resource by resource, beside a record in use."""

from functools import partial

from sqlalchemy import Connection

from ehr.bulk.reextraction import expected_rows, extracted, keys_of
from ehr.record import Record
from ehr.store import integrity, read
from ehr.store.drafts import Written
from ehr.store.insert import insert_rows
from ehr.store.locator import Name

_SLICE = 1000


def repair(record: Record, names: list[Name]) -> int:
    """Rebuild the index rows of these resources; return how many were rebuilt."""
    done = 0
    for first in range(0, len(names), _SLICE):
        some = names[first : first + _SLICE]
        done += record.database.write(partial(_rebuild, record, some))
    return done


def _rebuild(record: Record, names: list[Name], connection: Connection) -> int:
    rows = []
    for row in read.currents(connection, names).values():
        if not row.deleted:
            done = Written(
                200, row.type, row.id, row.version, row.last_updated, row.patient_key, row.rid,
                row.stored,
            )  # fmt: skip
            rows.append(extracted(record, done))
    keys = keys_of(record, connection, rows)
    for one in rows:
        integrity.clear_index(connection, one.current.patient_key, one.current.rid)
        insert_rows(connection, expected_rows(one, keys))
    return len(rows)
