"""Who is spoken of in notices: a patient with the teams that lead the care, and a caller in words.

Patients are told a caller's role and place, and find the person's name through the Task: a page may
withhold it where staff must be safe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.roles.known import ROLES, role_of
from ehr.access.terms import parts
from ehr.messages import Item, Resource
from ehr.people_shown import name_of
from ehr.store import read
from fhir_profiles import json_format
from fhir_profiles.facets import LOCKED

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal

_LABELS = {role.word: role.label for role in ROLES}


@dataclass(frozen=True, slots=True)
class Concerned:
    """A patient, with all CareTeams there are."""

    patient: Resource
    teams: Sequence[Resource]

    @property
    def name(self) -> str:
        """How others name the patient."""
        return f"Patient/{self.patient['id']}"


def patient_in_use(connection: "Connection", id: str) -> tuple[Item, Resource] | None:
    """Return the row and Patient with an id, whoever asks; None for who is not there, deleted,
    locked, replaced or not active."""
    row = read.newest(connection, "Patient", id)
    if row is None or row.deleted or row.conf >= LOCKED:
        return None
    patient: Resource = json_format.reparse(row.json())
    if any(one.get("type") == "replaced-by" for one in parts(patient, "link")):
        return None
    return None if patient.get("active") is False else (row.item, patient)


def with_teams(connection: "Connection", patient: Resource, patient_key: int) -> Concerned:
    """Return a patient with all CareTeams."""
    return Concerned(patient, tuple(_documents(connection, "CareTeam", patient_key)))


def concerned(connection: "Connection", patient_key: int) -> Concerned | None:
    """Return the patient with this key, None where there is none."""
    found = _documents(connection, "Patient", patient_key)
    return with_teams(connection, found[0], patient_key) if found else None


def caller_in_words(connection: "Connection", principal: "Principal") -> str:
    """Return the role of a caller, and the organisation signed in at."""
    label, here = _LABELS[role_of(principal)], principal.organisation
    if not here:
        return label
    row = read.newest(connection, "Organization", here)
    found = name_of(json_format.reparse(row.json())) if row and not row.deleted else None
    return f"{label} of {found}" if found else label


def _documents(connection: "Connection", type: str, key: int) -> list[Resource]:
    found = read.of_patients(connection, type, [key])
    return [json_format.reparse(row.json()) for row in sorted(found, key=lambda row: row.rid)]
