"""Which rows belong to an `$everything`: whole patient keys, and single rows beside them.

Single rows are found in a step of their own, because no join leaves the key. Another patient's rows
never belong.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, union

from ehr.errors import TooCostly
from ehr.search.asking import Asking
from ehr.search.matching import KeyAndRow
from ehr.store import tables
from ehr.store.pairs import in_pairs
from ehr.store.read import Stored
from fhir_profiles.definitions import type_number

# Single rows beside whole keys: of one patient few, of a plan or a visit hundreds.
MAXIMUM_PLACES = 10_000
# What belongs to a resource although it is only referred to: the parts of a plan.
_PARTS = {
    "CarePlan": (
        "Appointment", "CarePlan", "CareTeam", "Communication", "CommunicationRequest", "Condition",
        "DeviceRequest", "DocumentReference", "Goal", "MedicationRequest", "NutritionOrder",
        "Observation", "QuestionnaireResponse", "RequestGroup", "RiskAssessment", "ServiceRequest",
        "Task", "VisionPrescription",
    ),
    "EpisodeOfCare": ("CareTeam", "Condition", "ServiceRequest"),
}  # fmt: skip
_LINK, _MEMBER = tables.reference.alias("t"), tables.member.alias("m")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows belong: those of these keys (None: of every patient), and single ones.

    `home` is the key whose rows single ones may refer to; of other keys only shared and unfiled
    rows are followed.
    """

    keys: tuple[int, ...] | None = ()
    places: tuple[KeyAndRow, ...] = ()
    home: int = 0


def scope_of(asking: Asking, row: Stored | None) -> Scope:
    """Return the scope of a patient, of another resource, or (None) of every patient."""
    if row is None:
        return _patient_scope(asking, None)
    if row.type == "Patient":
        return _patient_scope(asking, row.patient_key)
    return _focal_scope(asking, (row.patient_key, row.rid), follow=_PARTS.get(row.type, ()))


def _patient_scope(asking: Asking, patient_key: int | None) -> Scope:
    """Return the scope of one patient (None: of all): their rows, and unfiled ones naming them."""
    of_whom = (
        _MEMBER.c.member_key > 0 if patient_key is None else (_MEMBER.c.member_key == patient_key)
    )
    statement = select(_MEMBER.c.owner_key, _MEMBER.c.rid).where(of_whom, _MEMBER.c.owner_key <= 0)
    keys = None if patient_key is None else (patient_key,)
    return Scope(keys, _places(asking, statement.distinct()))


def _focal_scope(asking: Asking, place: KeyAndRow, *, follow: Collection[str]) -> Scope:
    """Return the scope of one resource: itself, what refers to it, and what it refers to itself of
    the types to follow."""
    key, rid = place
    referring = select(_LINK.c.patient_key, _LINK.c.rid).where(
        _LINK.c.target_rid == rid,
        _LINK.c.target_key == key,
        or_(_LINK.c.patient_key == key, _LINK.c.patient_key <= 0),
        _LINK.c.rid > 0,  # not a contained resource
    )
    referred = select(_LINK.c.target_key, _LINK.c.target_rid).where(
        _LINK.c.patient_key == key,
        _LINK.c.rid == rid,
        _LINK.c.target_key == key,
        _LINK.c.target_rid > 0,
        _LINK.c.target_type.in_([type_number(type) for type in follow]),
    )
    found = _places(asking, union(referring, referred))
    return Scope((), tuple(dict.fromkeys((place, *found))), home=key)


def _places(asking: Asking, statement: Any) -> tuple[KeyAndRow, ...]:
    rows = asking.connection.execute(statement.limit(MAXIMUM_PLACES + 1)).all()
    if len(rows) > MAXIMUM_PLACES:
        raise TooCostly(
            f"More than {MAXIMUM_PLACES} single resources belong to this. Ask for each patient, or "
            "search by type."
        )
    return tuple((key, rid) for key, rid in rows)


def covered(
    asking: Asking, scope: Scope, key: ColumnElement[int], rid: ColumnElement[int]
) -> list[ColumnElement[bool]]:
    """Return conditions that exclude each other and together cover the scope; each has an index."""
    parts: list[ColumnElement[bool]] = []
    if scope.keys is None:
        parts.append(key > 0)
    elif scope.keys:
        parts.append(key.in_(scope.keys))
    if scope.places:
        parts.append(in_pairs(asking.connection, key, rid, scope.places))
    return parts or [false()]
