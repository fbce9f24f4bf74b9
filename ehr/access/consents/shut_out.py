"""Whether a patient keeps a person out of the whole record by name, as Consents stand now."""

from sqlalchemy import Connection

from ehr.access import directory
from ehr.access.consents.blocks import keeps_out
from ehr.access.consents.compiled import rules_of
from ehr.access.terms import Terms
from ehr.store import read
from fhir_profiles import json_format


def is_shut_out(
    connection: Connection, patient_key: int, person: str, terms: Terms, now: int
) -> bool:
    """Tell whether the patient with this key denies `Practitioner/1` all, at a moment in ms."""
    consents = read.of_patients(connection, "Consent", [patient_key])
    rules = [rule for row in consents for rule in rules_of(json_format.reparse(row.json()), terms)]
    return keeps_out(rules, directory.person_names(connection, person, terms, now), now)
