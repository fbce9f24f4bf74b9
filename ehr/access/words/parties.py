"""`party`, `mine` and `live`: what goes between the caller and others, and where the patient is."""

from collections.abc import Mapping

from sqlalchemy import (
    ColumnElement,
    and_,
    false,
    not_,
    or_,
)

from ehr.access.names import NOW, PLACE, PLACE_NAME, RIDS
from ehr.access.relationships.kinds import Kind
from ehr.access.rows import LINKS, Row
from ehr.access.terms import FOREVER, Terms
from ehr.access.there import there_is
from ehr.store.pairs import among_few
from ehr.store.tables import relationship
from fhir_profiles.definitions import type_number

PARTIES: Mapping[str, tuple[str, ...]] = {
    "Appointment": ("Appointment.participant.actor",),
    "AppointmentResponse": ("AppointmentResponse.actor",),
    "Communication": ("Communication.sender", "Communication.recipient"),
    "ServiceRequest": ("ServiceRequest.performer", "ServiceRequest.requester"),
    "Task": ("Task.owner", "Task.requester"),
}
# Whose these are they say themselves; all others are of who entered them.
_SAID: Mapping[str, str] = {
    "Encounter": "Encounter.serviceProvider",
    "EpisodeOfCare": "EpisodeOfCare.managingOrganization",
    "MeasureReport": "MeasureReport.reporter",
}
_VISIT = relationship.alias("visit")
_AFTER_ENCOUNTER = Terms(lambda _: (0, 0)).after_encounter


def is_party(row: Row) -> ColumnElement[bool]:
    """Return the condition that a row goes between the caller or the caller's place and others."""
    types = [type for type in PARTIES if row.may_be(type)]
    paths = tuple(path for type in types for path in PARTIES[type])
    if not paths:
        return false()
    return row.names(paths, among_few(LINKS.c.target_rid, row.value(RIDS)))


def is_mine(row: Row) -> ColumnElement[bool]:
    """Return the condition that a row is of the caller's organisation."""
    said = [type for type in _SAID if row.may_be(type)]
    if not said:
        return row.is_entered_here()
    here = row.value(PLACE)
    is_here = and_(here != 0, LINKS.c.target_rid == here)
    is_said = row.names(tuple(_SAID[type] for type in said), is_here)
    if row.types and row.types <= _SAID.keys():
        return is_said
    numbers = sorted(map(type_number, said))
    says = row.row.c.type.in_(numbers)
    return or_(and_(says, is_said), and_(not_(says), row.is_entered_here()))


def is_live(row: Row) -> ColumnElement[bool]:
    """Return the condition that the patient is with the caller's organisation now.

    Relationships by Encounter last a while longer than the Encounter.
    """
    v, now = _VISIT.c, row.value(NOW)
    return there_is(
        _VISIT,
        v.patient_key == row.key,
        v.kind == int(Kind.ENCOUNTER),
        v.grantee == row.value(PLACE_NAME),
        v.ended.is_(False),
        v.from_at <= now,
        or_(v.to_at >= FOREVER, v.to_at - _AFTER_ENCOUNTER > now),
    )
