"""What the trail of a record holds, as tests ask for it.

with audited.since(record) as told:      the events of what is done in the block, oldest first
    client.read("Patient/mary")
assert told[0].kind == Kind.READ
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ehr.audit.event import AuditRow, event_of
from ehr.audit.items import unpack
from ehr.store.tables import audit_event

if TYPE_CHECKING:
    from ehr.record import Record


def everything(record: "Record") -> list[AuditRow]:
    """Return all events that are in the table, in the order of their numbers."""
    c = audit_event.c
    with record.database.read() as connection:
        found = connection.execute(select(audit_event).order_by(c.at, c.epoch, c.n)).all()
    return [event_of(tuple(row)).row for row in found]


@contextlib.contextmanager
def since(record: "Record") -> Iterator[list[AuditRow]]:
    """Give a list that holds, after the block, what was recorded in it."""
    with record.database.read() as connection:
        known = {tuple(row) for row in connection.execute(_places())}
    told: list[AuditRow] = []
    yield told
    c = audit_event.c
    with record.database.read() as connection:
        found = connection.execute(
            select(audit_event).order_by(c.at, c.writer.desc(), c.epoch, c.n)
        )
        told += [event_of(tuple(row)).row for row in found if tuple(row[:3]) not in known]


def rids(row: AuditRow) -> set[int]:
    """Return the rows that an event says came back."""
    return {rid for _, rid, _ in unpack(row.items or b"", row.patient_key)}


def _places() -> Any:
    c = audit_event.c
    return select(c.writer, c.epoch, c.n)
