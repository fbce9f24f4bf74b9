"""Who looked into whose record, by the audit trail."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ehr.audit.kinds import Kind
from ehr.messages import Instant
from ehr.store.tables import audit_event
from ehr.store.templates import rows_of

OF_STAFF = "Practitioner/"
_LOOKS = (Kind.READ, Kind.VREAD, Kind.SEARCH, Kind.HISTORY, Kind.OPERATION)


@dataclass(frozen=True, slots=True)
class Looked:
    """Somebody of staff looked into the record of a patient (key), so often, last at that time."""

    agent: str
    organisation: str
    patient_key: int
    times: int
    last: Instant


def looks(connection: Connection, since: Instant) -> list[Looked]:
    """Return looks of staff since a time, one for each of them and each patient."""
    c = audit_event.c
    place = func.max(func.coalesce(c.organisation, ""))
    asked = (
        select(c.agent, place, c.patient_key, func.count(), func.max(c.at))
        .where(
            c.at >= since,
            c.kind.in_([int(kind) for kind in _LOOKS]),
            c.outcome == 0,
            c.patient_key > 0,
            c.agent.like(f"{OF_STAFF}%"),
        )
        .group_by(c.agent, c.patient_key)
        .order_by(c.agent, c.patient_key)
    )
    return [Looked(*row) for row in rows_of(connection, asked)]


def emergencies(connection: Connection, since: Instant) -> Iterator[Looked]:
    """Yield who opened records in emergencies since a time, and how many."""
    c = audit_event.c
    opened = (c.at >= since, c.kind == int(Kind.BREAK_GLASS), c.outcome == 0)
    asked = select(c.agent, func.count(), func.max(c.at)).where(*opened).group_by(c.agent)
    for agent, times, last in rows_of(connection, asked):
        yield Looked(agent or "", "", 0, times, last)
