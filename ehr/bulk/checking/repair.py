"""Index rows rebuilt from the bodies, resource by resource, beside a record in use.

Rows that belong to nothing are removed. Nothing but index rows is ever changed.
"""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from ehr.bulk.checking.reextraction import expected_rows, extracted, keys_of
from ehr.record import Record
from ehr.store import integrity, read
from ehr.store.drafts import INDEX_VERSION, Written
from ehr.store.insert import insert_rows, update_rows
from ehr.store.locator import Name
from ehr.store.tables import resource

_SLICE = 1000


def repair(record: Record, names: Sequence[Name]) -> int:
    """Rebuild the index rows of these resources; return how many were rebuilt."""
    done = 0
    for first in range(0, len(names), _SLICE):
        some = names[first : first + _SLICE]
        done += record.database.write(partial(_rebuild, record, some))
    return done


def _rebuild(record: Record, names: Sequence[Name], connection: Connection) -> int:
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
        place = (one.current.patient_key, one.current.rid)
        update_rows(connection, resource, ("index_version",), [(*place, INDEX_VERSION)])
    return len(rows)


def sweep(record: Record) -> int:
    """Remove index rows that belong to no resource; return how many there were."""
    return record.database.write(integrity.clear_orphans)
