"""Of a row of which parts are shown, no search tells the others; by what is shown it is found.

`auth/README.md`, the words on parts. The ward treats Mary: its consultant sees the episode and the
report whole, its social worker an outline of the one, its coordinator the conclusion of the other.
"""

import pytest

from ehr.record import Record
from tests import given
from tests.policy.house import House, found, open_house

EPISODE, REPORT, PULSE, ANN = "mary-episode", "mary-report", "mary-pulse", "ann"
# By who sees parts: a question, and what it finds that only a hidden part leads to.
HIDDEN = {
    "social-worker": (
        (f"EpisodeOfCare?_id={EPISODE}&_include=EpisodeOfCare:care-manager", ANN),
        (f"EpisodeOfCare?_id={EPISODE}&_include=*", ANN),
        (
            "Patient?_id=mary&_revinclude=EpisodeOfCare:patient&_include:iterate=EpisodeOfCare:care-manager",
            ANN,
        ),
        (f"Practitioner?_id={ANN}&_revinclude=EpisodeOfCare:care-manager", EPISODE),
        (f"Practitioner?_id={ANN}&_revinclude=*", EPISODE),
        (f"Practitioner/{ANN}/EpisodeOfCare", EPISODE),
        ("EpisodeOfCare?care-manager=Practitioner/ann", EPISODE),
        ("EpisodeOfCare?care-manager.family:missing=false", EPISODE),
        ("EpisodeOfCare?_filter=care-manager re Practitioner/ann", EPISODE),
        ("EpisodeOfCare?_filter=not (care-manager re Practitioner/nobody)", EPISODE),
        ("Practitioner?_has:EpisodeOfCare:care-manager:status=active", ANN),
    ),
    "care-coordinator": (
        (f"DiagnosticReport?_id={REPORT}&_include=DiagnosticReport:result", PULSE),
        (f"DiagnosticReport?_id={REPORT}&_include=*", PULSE),
        (f"Observation?_id={PULSE}&_revinclude=DiagnosticReport:result", REPORT),
        (f"Observation?_id={PULSE}&_revinclude=*", REPORT),
        ("DiagnosticReport?performer:Practitioner.family=Locum", REPORT),
        ("Patient?_has:DiagnosticReport:patient:performer:Practitioner.family=Locum", "mary"),
        ("Observation?_has:DiagnosticReport:result:status=final", PULSE),
        ("DiagnosticReport?_content=locum", REPORT),
    ),
}
SHOWN = {
    "social-worker": (
        ("EpisodeOfCare?status=active", EPISODE),
        ("EpisodeOfCare?_filter=status eq active", EPISODE),
        ("EpisodeOfCare?_filter=status eq active and not (status eq planned)", EPISODE),
        ("EpisodeOfCare?organization.name=Ward", EPISODE),
        ("Organization?_has:EpisodeOfCare:organization:status=active", "ward"),
        (f"EpisodeOfCare?_id={EPISODE}&_include=EpisodeOfCare:organization", "ward"),
        ("Patient?_id=mary&_revinclude=EpisodeOfCare:patient", EPISODE),
        ("Organization?_id=ward&_revinclude=*", EPISODE),
        ("Patient/mary/EpisodeOfCare", EPISODE),
    ),
    "care-coordinator": (
        ("Patient?_has:DiagnosticReport:subject:status=final", "mary"),
        ("Patient?_id=mary&_revinclude=DiagnosticReport:subject", REPORT),
    ),
    "hospital-consultant": (
        ("ServiceRequest?patient.family=murray", "john-order"),
        ("Patient/john/Patient?_lastUpdated=gt1900", "john"),
    ),
}


@pytest.fixture
def house(record: Record) -> House:
    opened = open_house(record)
    mary, ann = given.reference("Patient/mary"), given.reference("Practitioner/ann")
    opened.everything.update_all(
        {
            "resourceType": "EpisodeOfCare",
            "id": EPISODE,
            "status": "active",
            "patient": mary,
            "managingOrganization": given.reference("Organization/ward"),
            "careManager": ann,
        },
        {
            "resourceType": "DiagnosticReport",
            "id": REPORT,
            "contained": [
                {"resourceType": "Practitioner", "id": "who", "name": [{"family": "Locum"}]}
            ],
            "status": "final",
            "code": given.concept("58410-2", given.LOINC),
            "subject": mary,
            "performer": [given.reference("#who")],
            "result": [given.reference(f"Observation/{PULSE}")],
        },
    )
    return opened


def _ask(house: House, role: str, asked: str) -> set[str]:
    return found(house.staff(role, "ben", "ward"), asked)


@pytest.mark.parametrize("role", HIDDEN)
def test_what_is_hidden_leads_nowhere(house: House, role: str) -> None:
    for asked, one in HIDDEN[role]:
        assert one in _ask(house, "hospital-consultant", asked), asked
        assert one not in _ask(house, role, asked), asked


def test_parts_are_hidden_beside_rows_that_are_seen_whole(house: House) -> None:
    """The Patient, which is in the same answer, is seen whole: the episode is not for that."""
    worker = house.staff("social-worker", "ben", "ward")
    for asked in ("Patient/mary/$everything", "Patient?_id=mary&_revinclude=EpisodeOfCare:patient"):
        entries = {one["resource"]["id"]: one["resource"] for one in worker.read(asked)["entry"]}
        assert "telecom" in entries["mary"]
        assert "status" in entries[EPISODE]
        assert "careManager" not in entries[EPISODE]


@pytest.mark.parametrize("role", SHOWN)
def test_what_is_shown_is_found_by(house: House, role: str) -> None:
    for asked, one in SHOWN[role]:
        assert one in _ask(house, role, asked), asked


def test_the_feed_counts_no_row_that_the_patient_may_not_see(house: House) -> None:
    held = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "TBOO"}
    mary = given.reference("Patient/mary")["reference"]
    row = given.observation(mary, id="mary-held", meta={"security": [held]})
    house.everything.update_all(row)
    asked = "Observation?_id=mary-held,mary-pulse"
    assert found(house.everything, asked) == {"mary-held", "mary-pulse"}
    assert found(house.mary, asked) == {PULSE}
    feed = house.mary.read("AuditEvent?patient=Patient/mary&_count=200")
    details = [
        [(one["type"], one["valueString"]) for one in entity["detail"]]
        for event in feed["entry"]
        for entity in event["resource"].get("entity", ())
        if "detail" in entity
    ]
    searches = [some for some in details if any(PULSE in value for _, value in some)]
    assert searches
    assert all(("found", "1") in some for some in searches), searches
