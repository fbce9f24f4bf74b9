"""Events in SQL: added with the batch that the sealer will take, read in their order, listed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select, text, tuple_

from ehr.audit.event import Event, Place, Values, event_of
from ehr.store.engine import is_postgres
from ehr.store.insert import insert_rows
from ehr.store.tables import audit_batch, audit_event, database_fact, resource
from ehr.store.templates import rows_of
from fhir_profiles.resource_types import type_name, type_number

_MARKER = "audit_retention"
_PATIENT = type_number("Patient")


def add(connection: Connection, events: Sequence[Values]) -> None:
    """Add events whose numbers follow one upon another, in the transaction of a connection."""
    writer, epoch, first = events[0][:3]
    batch = (writer, epoch, first, events[-1][2])
    insert_rows(connection, {audit_event: events, audit_batch: [batch]})


def newest(connection: Connection, writer: int, epoch: int) -> int:
    """Return the highest number that an epoch has in the table, 0 where it has none."""
    own = (audit_event.c.writer == writer, audit_event.c.epoch == epoch)
    rows = rows_of(connection, select(func.max(audit_event.c.n)).where(*own))
    return int(rows[0][0] or 0)


def at_place(connection: Connection, place: Place) -> Event | None:
    """Return the event at a place, None where there is none."""
    found = rows_of(connection, select(audit_event).where(_is_at(place)))
    return event_of(found[0]) if found else None


def first_of(connection: Connection, event: Event) -> Event | None:
    """Return the first event of the same request: the one that has the query."""
    if not event.row.behind:
        return event
    place = event.place
    return at_place(connection, Place(place.writer, place.epoch, place.n - event.row.behind))


def _is_at(place: Place) -> Any:
    columns = audit_event.c
    return and_(columns.writer == place.writer, columns.epoch == place.epoch, columns.n == place.n)


def listed(
    connection: Connection,
    *,
    patient_keys: Sequence[int] = (),
    agent: str | None = None,
    since: int | None = None,
    limit: int = 100,
) -> list[Event]:
    """Return events, the newest first: of these patients, by this agent, since this time."""
    columns = audit_event.c
    asked: Select[Any] = select(audit_event)
    if patient_keys:
        asked = asked.where(columns.patient_key.in_(patient_keys))
    if agent is not None:
        asked = asked.where(columns.agent == agent)
    if since is not None:
        asked = asked.where(columns.at >= since)
    order = (columns.at.desc(), columns.writer, columns.epoch.desc(), columns.n.desc())
    found = rows_of(connection, asked.order_by(*order).limit(limit))
    return [event_of(row) for row in found]


def names_of(
    connection: Connection, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[str, str]]:
    """Return type and id of the rows of the record at these (patient_key, rid)."""
    if not places:
        return {}
    c = resource.c
    found = rows_of(
        connection,
        select(c.patient_key, c.rid, c.type, c.id).where(
            tuple_(c.patient_key, c.rid).in_(sorted(set(places)))
        ),
    )
    return {(key, rid): (type_name(type), id) for key, rid, type, id in found}


def patients_of(connection: Connection, keys: Sequence[int]) -> dict[int, str]:
    """Return the ids of the Patients that have these keys."""
    wanted = sorted({key for key in keys if key > 0})
    if not wanted:
        return {}
    c = resource.c
    found = rows_of(
        connection,
        select(c.patient_key, c.id).where(c.patient_key.in_(wanted), c.type == _PATIENT),
    )
    return {int(key): str(id) for key, id in found}


@contextmanager
def retention(connection: Connection) -> Iterator[None]:
    """Let events and seals be deleted in this block, inside a write transaction."""
    if is_postgres(connection):
        connection.execute(text("SET LOCAL ehr.audit_retention = 'on'"))
        yield
        connection.execute(text("SET LOCAL ehr.audit_retention = 'off'"))
        return
    connection.execute(database_fact.insert().values(name=_MARKER, value="on"))
    yield
    connection.execute(database_fact.delete().where(database_fact.c.name == _MARKER))
