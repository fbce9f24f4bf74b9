"""What the directory says of somebody: the roles of a Practitioner, and how resources name them.

Of anybody, at any moment; who asks now is told by `callers/`.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from ehr.access.terms import Resource, Terms, parts
from ehr.store import read
from ehr.store.locator import locate
from ehr.store.rows import identifier_text
from ehr.store.tables import reference, resource
from fhir_profiles import json_format
from fhir_profiles.identity import stable_id

_PRACTITIONER = stable_id("PractitionerRole.practitioner")
_ORGANISATION = frozenset({"Organization"})
_ROLE = "PractitionerRole"


def person_names(connection: Connection, person: str, terms: Terms, now: int) -> tuple[str, ...]:
    """Return how resources may name a person (`Practitioner/1`): all their roles, wherever."""
    roles = roles_of(connection, person, terms, now)
    named = [(person, _document(connection, person))]
    named += [(f"{_ROLE}/{role['id']}", role) for role in roles]
    return tuple(dict.fromkeys(name for one in named for name in names_of(*one)))


def works_at(
    connection: Connection, person: str, organisation: str, terms: Terms, now: int
) -> bool:
    """Tell whether a Practitioner, or the one of a PractitionerRole, works for an organisation."""
    here = f"Organization/{organisation}"
    if person.startswith(f"{_ROLE}/"):
        found = _document(connection, person)
        roles = [found] if found is not None and is_in_force(found, terms, now) else []
    else:
        roles = roles_of(connection, person, terms, now)
    return any(terms.name(role.get("organization"), _ORGANISATION) == here for role in roles)


def roles_of(connection: Connection, person: str, terms: Terms, now: int) -> list[Resource]:
    """Return the PractitionerRoles of `Practitioner/1` that are in force now (ms)."""
    found = (_document(connection, name) for name in role_names(connection, person))
    return [one for one in found if one is not None and is_in_force(one, terms, now)]


def role_names(connection: Connection, person: str) -> list[str]:
    """Return the PractitionerRoles that name `Practitioner/1` today, in force or not."""
    type, _, id = person.partition("/")
    place = locate(connection, [(type, id)]).get((type, id)) if type == "Practitioner" else None
    if place is None:
        return []
    f, r = reference.c, resource.c
    statement = (
        select(r.id)
        .join(reference, (f.patient_key == r.patient_key) & (f.rid == r.rid))
        .where(
            f.target_key == place.patient_key,
            f.target_rid == place.rid,
            f.path == _PRACTITIONER,
            f.patient_key == 0,
            r.deleted.is_(False),
        )
        .order_by(r.id)
    )
    return [f"{_ROLE}/{id}" for id in connection.scalars(statement)]


def is_in_force(role: Resource, terms: Terms, now: int) -> bool:
    """Tell whether a PractitionerRole is in force at a moment in ms."""
    period = terms.period(role.get("period"))
    return role.get("active") is not False and period is not None and period[0] <= now < period[1]


def _document(connection: Connection, name: str) -> Resource | None:
    type, _, id = name.partition("/")
    found = read.newest(connection, type, id) if id else None
    return None if found is None or found.deleted else json_format.reparse(found.json())


def names_of(name: str, document: Resource | None) -> Iterator[str]:
    """Yield how a Reference may name a resource of this record: by itself, or by an identifier."""
    yield name
    for one in parts(document or {}, "identifier"):
        system, value = one.get("system"), one.get("value")
        if isinstance(system, str) and isinstance(value, str):
            text = f"?identifier={identifier_text(system, value)}"
            yield text
            yield name.partition("/")[0] + text
