"""Who made the versions of a resource, for who may see them: what a Provenance of ours tells."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from ehr.access.scope import Scope
from ehr.access.visible import visible_within
from ehr.store.drafts import Facts, Method
from ehr.store.engine import of
from ehr.store.history import of_row
from ehr.store.locator import Name, locate
from ehr.store.pairs import in_pairs
from ehr.store.provenance import facts_of
from ehr.store.tables import resource, version
from fhir_profiles.definitions import type_name

MOST = 500
_NOTHING = Facts()


@dataclass(frozen=True, slots=True)
class Made:
    """One version and who made it; `at` in ms."""

    patient_key: int
    rid: int
    type: str
    id: str
    version: int
    at: int
    method: Method
    is_first: bool
    author: str
    organisation: str
    facts: Facts


def versions_made(connection: Connection, scope: Scope, type: str, id: str) -> list[Made]:
    """Return who made the versions of `type/id` that this scope shows, the newest first."""
    place = locate(connection, [(type, id)]).get((type, id))
    if place is None:
        return []
    return _made(connection, scope, of_row(place.patient_key, place.rid), (type,))


def version_made(connection: Connection, scope: Scope, at: tuple[int, int, int]) -> Made | None:
    """Return who made the version at (patient_key, rid, version), if this scope shows it."""
    key, rid, number = at
    here = of_row(key, rid) & (version.c.version == number)
    return next(iter(_made(connection, scope, here, ())), None)


def current_made(connection: Connection, scope: Scope, names: Collection[Name]) -> list[Made]:
    """Return who made the current versions of resources that this scope shows."""
    places = [(one.patient_key, one.rid) for one in locate(connection, names).values()]
    here = in_pairs(connection, version.c.patient_key, version.c.rid, places)
    types = tuple(sorted({type for type, _ in names}))
    is_current = version.c.version == resource.c.version
    return _made(connection, scope, here & is_current, types, most=len(places)) if places else []


def _made(
    connection: Connection,
    scope: Scope,
    here: ColumnElement[bool],
    types: tuple[str, ...],
    most: int = MOST,
) -> list[Made]:
    v, r = version.c, resource.c
    seen = visible_within(
        resource,
        scope,
        of(connection).hasher,
        binaries=not types or "Binary" in types,
        types=types,
        version=version,
    )
    statement = (
        select(v.patient_key, v.rid, v.type, v.id, v.version, v.last_updated, v.method, v.author,
               v.author_organisation, v.txn_id)
        .join(resource, (r.patient_key == v.patient_key) & (r.rid == v.rid))
        .where(here, seen)
        .order_by(v.version.desc(), v.patient_key, v.rid)
        .limit(most)
    )  # fmt: skip
    rows = connection.execute(statement).all()
    facts = facts_of(connection, {(row.txn_id, row.rid) for row in rows}) if rows else {}
    return [
        Made(
            row.patient_key, row.rid, type_name(row.type), row.id, row.version, row.last_updated,
            Method(row.method), row.version == 1, row.author or "",
            row.author_organisation or "", facts.get((row.txn_id, row.rid), _NOTHING),
        )
        for row in rows
    ]  # fmt: skip
