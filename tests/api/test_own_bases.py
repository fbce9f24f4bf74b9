"""Addresses of this record are kept in the database: an absolute reference to itself is local."""

from auth.principal import Principal
from ehr.messages import Document, Interaction
from ehr.pipeline import handle
from ehr.record import Record, open_record
from fhir_profiles import json_format
from tests import given

CALLER = Principal("system:test", "system", "test")
BASE = "https://record.example.org/fhir"


def _put(record: Record, resource: dict[str, object]) -> None:
    raw = json_format.serialise(resource)
    handle(
        record,
        CALLER,
        Interaction(
            name="update",
            type=str(resource["resourceType"]),
            id=str(resource["id"]),
            document=Document(raw, json_format.parse(raw)),
        ),
    )


def test_a_subject_under_an_own_address_is_a_patient_of_this_record(record: Record) -> None:
    record.database.own_bases(BASE)
    known = open_record(record.settings)
    try:
        _put(known, given.patient(id="mary"))
        _put(known, given.observation(f"{BASE}/Patient/mary") | {"id": "o"})

        found = handle(
            known,
            CALLER,
            Interaction(name="search-type", type="Observation", params=(("patient", "mary"),)),
        )

        assert b'"Observation","id":"o"' in (found.body or b"")
    finally:
        known.database.close()
