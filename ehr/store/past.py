"""What stood in the record at a moment: versions, for who asks about the past."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from ehr.messages import Instant
from ehr.store import tables
from ehr.store.locator import locate
from ehr.store.read import COLUMNS, Stored, stored
from fhir_profiles.definitions import type_name, type_number

_V = tables.version.c


def versions_until(
    connection: Connection, patient_key: int, types: Collection[str], at: Instant
) -> list[Stored]:
    """Return all versions of these types that a patient had by then, each resource's in order."""
    numbers = sorted(map(type_number, types))
    statement = (
        select(_V.type, _V.id, *(_V[name] for name in COLUMNS))
        .where(_V.patient_key == patient_key, _V.type.in_(numbers), _V.last_updated <= at)
        .order_by(_V.rid, _V.version)
    )
    rows = connection.execute(statement).all()
    return [stored(connection, type_name(type), id, row) for type, id, *row in rows]


def version_at(connection: Connection, type: str, id: str, at: Instant) -> Stored | None:
    """Return the version of a resource that was the newest at a moment, its deletion too."""
    place = locate(connection, [(type, id)]).get((type, id))
    if place is None:
        return None
    statement = (
        select(*(_V[name] for name in COLUMNS))
        .where(_V.patient_key == place.patient_key, _V.rid == place.rid, _V.last_updated <= at)
        .order_by(_V.version.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return None if row is None else stored(connection, type, id, row)
