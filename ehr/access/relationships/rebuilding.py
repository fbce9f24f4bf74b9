"""Relationships and consent rules made anew, for whole lists of sources at a time.

Derived tables: what one source (patient_key, rid) gives rise to is deleted and made again in the
transaction that writes it, in four statements at most however many sources there are. Rows under a
key that is no patient's are never made.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from ehr.access.consents import rules_of
from ehr.access.consents.rows import rule_rows
from ehr.access.relationships import SOURCES, Relationship, Source, relationships_of
from ehr.access.relationships.rows import Row, note_emergencies, relationship_of, rows_of
from ehr.access.terms import Resource, Terms
from ehr.store.engine import of
from ehr.store.insert import insert_rows
from ehr.store.pairs import in_pairs
from ehr.store.tables import consent_rule, relationship

Place = tuple[int, int]  # (patient_key, rid)


@dataclass(frozen=True, slots=True)
class Origin:
    """A resource as it stands after a write; without a document it is deleted.

    `at` is when this version was written, in ms. `birth` is the patient's birthDate as text, which
    Consents ask for: when it changes, the patient's Consents are made anew too. What `is_new` has
    no rows yet.
    """

    patient_key: int
    rid: int
    type: str
    id: str
    document: Resource | None
    at: int
    birth: str | None = None
    is_new: bool = False


def rebuild(connection: Connection, origins: Iterable[Origin], terms: Terms) -> None:
    """Make the rows of these sources anew; other types than those of `SOURCES` are passed over.

    Of several versions of one source the last counts.
    """
    some = {
        (one.patient_key, one.rid): one
        for one in origins
        if one.type in SOURCES and one.patient_key > 0
    }
    if not some:
        return
    hasher = of(connection).hasher
    old = {place: one for place, one in some.items() if not one.is_new}
    has_consents = any(one.type == "Consent" for one in old.values())
    before = _taken(connection, list(old), has_consents) if old else {}
    after: list[Relationship] = []
    made: list[Row] = []
    rules: list[Row] = []
    for place, one in some.items():
        if one.document is None:
            continue
        source = Source(one.id, one.document, one.at, before.get(place, ()), one.birth)
        opened = relationships_of(source, terms)
        after += opened
        made += rows_of(hasher, *place, opened)
        if one.type == "Consent":
            rules += rule_rows(hasher, *place, rules_of(one.document, terms))
    insert_rows(connection, {relationship: made, consent_rule: rules})
    note_emergencies(connection, chain(after, *before.values()))


def _taken(
    connection: Connection, places: Sequence[Place], has_consents: bool
) -> dict[Place, tuple[Relationship, ...]]:
    """Delete the rows of these sources; return the relationships that they had."""
    r, c = relationship.c, consent_rule.c
    here = in_pairs(connection, r.patient_key, r.rid, places)
    found: dict[Place, tuple[Relationship, ...]] = {}
    gone = connection.execute(relationship.delete().where(here).returning(*r)).all()
    for row in sorted(gone, key=lambda row: (row.patient_key, row.rid, row.n)):
        place = (row.patient_key, row.rid)
        found[place] = (*found.get(place, ()), relationship_of(row))
    if has_consents:
        there = in_pairs(connection, c.patient_key, c.rid, places)
        connection.execute(consent_rule.delete().where(there))
    return found
