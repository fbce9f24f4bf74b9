"""Index rows rebuilt from the bodies, resource by resource, beside a record in use.

Rows that belong to nothing are removed. Nothing but index rows is ever changed.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from ehr.operations.reindexing.sweep import rebuild
from ehr.record import Record
from ehr.store import integrity
from ehr.store.locator import Name

_SLICE = 200


def repair(record: Record, names: Sequence[Name]) -> int:
    """Rebuild the index rows of these resources; return how many were rebuilt."""
    done = 0
    for first in range(0, len(names), _SLICE):
        some = names[first : first + _SLICE]

        def work(connection: Connection, some: Sequence[Name] = some) -> int:
            rebuild(record, connection, some)
            return len(some)

        done += record.database.write(work)
    return done


def sweep(record: Record) -> int:
    """Remove index rows that belong to no resource; return how many there were."""
    return record.database.write(integrity.clear_orphans)
