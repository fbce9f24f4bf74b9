"""Whether a patient keeps a person out of the whole record by name, as Consents stand now."""

from collections.abc import Collection

from sqlalchemy import Connection

from ehr.access import directory
from ehr.access.consents.blocks import keeps_out
from ehr.access.consents.compiled import rules_of
from ehr.access.consents.model import ConsentRule
from ehr.access.terms import Terms
from ehr.store import read
from fhir_profiles import json_format

NOBODY = 0  # the key of no patient


def is_shut_out(
    connection: Connection, patient_key: int, person: str, terms: Terms, now: int
) -> bool:
    """Tell whether the patient with this key denies `Practitioner/1` all, at a moment in ms."""
    return patient_key in who_shut_out(connection, [patient_key], person, terms, now)


def who_shut_out(
    connection: Connection, patient_keys: Collection[int], person: str, terms: Terms, now: int
) -> frozenset[int]:
    """Return which of these patients deny `Practitioner/1` all, at a moment in ms; by the same
    statements where there are none."""
    rules: dict[int, list[ConsentRule]] = {}
    for row in read.of_patients(connection, "Consent", patient_keys or (NOBODY,)):
        found = rules_of(json_format.reparse(row.json()), terms)
        rules.setdefault(row.patient_key, []).extend(found)
    names = directory.person_names(connection, person, terms, now)
    return frozenset(key for key, some in rules.items() if keeps_out(some, names, now))
