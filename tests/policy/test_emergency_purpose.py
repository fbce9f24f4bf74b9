"""While a record is open in an emergency: what is done in it, and for which purpose it is told.

J7: every read is audited as BTG. The patient is told later, and finds nothing of it before.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auth.purposes import EMERGENCY
from ehr.access.terms import HOUR
from ehr.audit.kinds import Kind
from ehr.operations import OPERATIONS
from ehr.urls.operations import OFFERED
from tests import audited, given
from tests.client import Client, expect
from tests.policy.staff import ANN, MINUTE, OFFICER, REID, emergency, put_ward, staff

if TYPE_CHECKING:
    from ehr.record import Record

App = Callable[..., Client]
PATH = "Patient/mary/$break-glass"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
AT_ONCE = {"delayNotice": ("UnsignedInt", 0)}


@pytest.fixture(autouse=True)
def _ward(client: Client) -> None:
    """Store Mary and John, whose practice is another, and what Reid, of the hospital, may see."""
    put_ward(client)
    client.update_all(
        given.organisation("Ward", id="ward"),
        *(given.observation(f"Patient/{who}", id=f"{who}-pulse") for who in ("mary", "john")),
        *(
            given.observation("Patient/mary", id=f"mary-{code}", meta=_labelled(code))
            for code in ("R", "V")
        ),
        given.encounter(
            "Patient/john",
            id="john-stay",
            status="in-progress",
            serviceProvider=given.reference("Organization/ward"),
        ),
    )


def _labelled(code: str) -> dict[str, Any]:
    return {"security": [{"system": CONFIDENTIALITY, "code": code}]}


def doctor(record: "Record", **more: Any) -> Client:
    """Give an app of Reid, who works in hospital and treats John there."""
    return staff(record, "hospital-consultant", organisation="ward", **more)


def opened(record: "Record", **more: Any) -> Client:
    """Give that app with Mary's record open in an emergency."""
    app = doctor(record)
    expect(app.post(PATH, emergency(**more)), 201)
    return app


def events(client: Client, query: str) -> list[dict[str, Any]]:
    """Return the events that a search finds."""
    bundle = client.read(f"AuditEvent?{query}&_count=100")
    return [one["resource"] for one in bundle.get("entry", ())]


def purposes(one: dict[str, Any]) -> set[str]:
    """Return the codes of why something was done."""
    return {each["code"] for why in one.get("purposeOfEvent", ()) for each in why["coding"]}


@pytest.mark.parametrize(
    "path",
    [
        "Observation/mary-pulse",
        "Observation/mary-R",
        "Observation/mary-pulse/_history/1",
        "Observation/mary-pulse/_history",
        "Observation?patient=mary",
        "Patient?_id=mary&_revinclude=Observation:subject",
        "Patient/mary/$everything",
    ],
)
def test_what_is_read_is_told_as_an_emergency(record: "Record", path: str) -> None:
    app = opened(record)

    with audited.since(record) as told:
        app.read(path)

    assert {row.purpose for row in told} == {EMERGENCY}
    assert all(row.patient_key for row in told)


def test_only_of_that_patient_and_that_person(record: "Record") -> None:
    app, colleague = opened(record), staff(record, person=ANN)

    with audited.since(record) as told:
        app.read("Observation/john-pulse")
        colleague.read("Observation/mary-pulse")
        app.read("Observation?code=http://loinc.org|8867-4")
    by_patient = {row.patient_key: row.purpose for row in told if row.kind == Kind.SEARCH}

    assert [row.purpose for row in told if row.kind == Kind.READ] == [None, None]
    assert set(by_patient.values()) == {None, EMERGENCY}


def test_only_while_it_is_open(record: "Record") -> None:
    app = doctor(record)
    with audited.since(record) as before:
        assert app.get("Observation/mary-pulse").status_code == 404
    opened(record)
    later = replace(record, clock=lambda: record.clock() + 4 * HOUR + MINUTE)
    with audited.since(record) as after:
        assert doctor(later).get("Observation/mary-pulse").status_code == 404

    assert EMERGENCY not in {row.purpose for row in (*before, *after)}


def test_what_is_refused_in_it_is_told_so_too(record: "Record") -> None:
    app = opened(record)

    with audited.since(record) as told:
        assert app.get("Observation/mary-V").status_code == 404

    assert [(row.outcome, row.purpose) for row in told] == [(4, EMERGENCY)]


def test_opening_is_an_event_of_its_own(record: "Record", client: Client) -> None:
    with audited.since(record) as told:
        opened(record)

    [one] = [row for row in told if row.kind == Kind.BREAK_GLASS]
    assert (one.outcome, one.agent, one.purpose) == (0, REID, EMERGENCY)
    assert one.patient_key > 0
    assert {row.purpose for row in told if row.patient_key} == {EMERGENCY}
    officer = staff(record, "privacy-officer", person=OFFICER)
    [shown] = events(officer, "subtype=110127")
    assert (shown["action"], purposes(shown)) == ("E", {EMERGENCY})
    assert shown["purposeOfEvent"][0]["coding"][0]["system"].endswith("v3-ActReason")


def test_opening_in_vain_is_told_with_its_patient(record: "Record") -> None:
    with audited.since(record) as told:
        assert staff(record, "receptionist").post(PATH, emergency()).status_code == 403

    [one] = told
    assert (one.outcome, one.named, one.purpose) == (4, "Patient/mary", None)
    assert one.patient_key > 0


def test_what_is_written_in_it_says_so(record: "Record", client: Client) -> None:
    app = opened(record)
    entries = [
        given.entry(given.observation(f"Patient/{who}"), method="POST", url="Observation")
        for who in ("mary", "john")
    ]
    with audited.since(record) as told:
        answer = expect(app.post("", given.transaction(*entries)), 200)

    reasons = []
    for entry in answer["entry"]:
        name = entry["response"]["location"].partition("/fhir/")[2].partition("/_history")[0]
        [one] = client.read(f"Provenance?target={name}")["entry"]
        why = one["resource"].get("reason", [])
        reasons.append([coding["code"] for each in why for coding in each["coding"]])
    assert reasons == [[EMERGENCY], []]
    assert [row.purpose for row in told if row.kind == Kind.CREATE] == [EMERGENCY, None]


def test_the_patient_finds_nothing_of_it_before_being_told(
    record: "Record", client_with: App
) -> None:
    mary = client_with("patient/*.rs", kind="patient", patient="mary", patients=["mary"])
    john = doctor(record)
    app = opened(record)
    app.read("Observation/mary-pulse")
    app.read("Observation?patient=mary")
    john.read("Observation/john-pulse")

    assert not [one for one in events(mary, "patient=mary") if EMERGENCY in purposes(one)]
    assert events(mary, f"patient=mary&agent={REID}") == []
    officer = staff(record, "privacy-officer", person=OFFICER)
    found = events(officer, f"patient=mary&agent={REID}")
    assert [purposes(one) for one in found if EMERGENCY not in purposes(one)] == []
    assert len(found) >= 3
    for one in found:
        assert mary.get(f"AuditEvent/{one['id']}").status_code == 404

    later = replace(record, clock=lambda: record.clock() + 24 * HOUR + MINUTE)
    told = Client(_app(later), mary.token)
    assert {one["id"] for one in events(told, f"patient=mary&agent={REID}")} <= {
        one["id"] for one in found
    }
    assert len(events(told, f"patient=mary&agent={REID}")) >= 3


def _app(record: "Record") -> Any:
    from ehr.app import create_app

    return create_app(record).test_client()


def test_told_at_once_the_patient_finds_it_at_once(record: "Record", client_with: App) -> None:
    mary = client_with("patient/*.rs", kind="patient", patient="mary", patients=["mary"])
    app = opened(record, **AT_ONCE)
    app.read("Observation/mary-pulse")

    found = events(mary, f"patient=mary&agent={REID}")
    assert {"110127", "read"} <= {one["subtype"][0]["code"] for one in found}


def test_a_review_that_ends_access_tells_the_patient_no_earlier(
    record: "Record", client: Client, client_with: App
) -> None:
    mary = client_with("patient/*.rs", kind="patient", patient="mary", patients=["mary"])
    app = opened(record)
    app.read("Observation/mary-pulse")
    [review] = [
        one["resource"]["id"] for one in client.read("Task?patient=mary&status=requested")["entry"]
    ]
    said = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "outcome", "valueCode": "not-justified"},
            {"name": "text", "valueString": "There was no emergency at all."},
        ],
    }
    officer = staff(record, "privacy-officer", person=OFFICER, organisation="ward")
    expect(officer.post(f"Task/{review}/$review", said), 200)

    assert app.get("Observation/mary-pulse").status_code == 404
    assert events(mary, f"patient=mary&agent={REID}") == []


def test_searches_across_patients_are_judged_row_by_row(record: "Record") -> None:
    """What is open is found by every way that leads to rows, R too and never V; no way skips V."""
    app = opened(record)
    of_mary = {"mary-pulse", "mary-R"}

    for path in ("Observation", "Observation?_count=200", "Observation/_history", "_history"):
        answer = app.get(path)
        assert answer.status_code in (200, 403), path
        if answer.status_code == 200:
            found = {one["resource"]["id"] for one in answer.get_json().get("entry", ())}
            assert found & {"mary-pulse", "mary-R", "mary-V"} <= of_mary, path
    shown = {one["resource"]["id"] for one in app.read("Observation")["entry"]}
    assert shown >= {*of_mary, "john-pulse"}


def test_nothing_is_exported_under_it() -> None:
    """An export that comes has to leave out what is open by an emergency alone, and say so here."""
    assert not [one for one in (*OPERATIONS, *(each.name for each in OFFERED)) if "export" in one]
