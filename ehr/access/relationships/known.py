"""All relationships that a patient has now, as their rows say."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from ehr.access.relationships.kinds import Kind, Relationship
from ehr.access.relationships.rows import relationship_of
from ehr.store.tables import relationship


def relationships_to(connection: Connection, patient_key: int) -> tuple[Relationship, ...]:
    """Return the relationships of the patient with this key, whoever's, those that are over too."""
    r = relationship.c
    found = connection.execute(select(*r).where(r.patient_key == patient_key).order_by(r.rid, r.n))
    return tuple(relationship_of(row) for row in found)


def emergencies(some: Iterable[Relationship], person: str, since: int) -> int:
    """Return how often a person has opened a record in an emergency since a moment in ms."""
    return sum(
        one.kind is Kind.BREAK_GLASS and one.grantee == person and one.from_ > since for one in some
    )
