"""Who finds that a record was opened in an emergency, where and when, and that nobody else does.

The privacy officer of the organisation that opened it has the review, practice and named lead the
alert, the patient the notice when it is due; each finds by the API what is theirs (J7).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ehr.access.terms import HOUR
from ehr.app import create_app
from tests import given
from tests.client import Client, expect
from tests.policy.staff import (
    ANN,
    MINUTE,
    OFFICER,
    REID,
    WHY,
    emergency,
    parameters,
    put_ward,
    staff,
    told,
)

if TYPE_CHECKING:
    from ehr.record import Record

App = Callable[..., Client]
Found = dict[str, list[str]]
PATH = "Patient/mary/$break-glass"
LEAD = "Practitioner/con"


@pytest.fixture
def opened(record: "Record", client: Client) -> dict[str, Any]:
    """Store Mary with a named lead elsewhere, and open her record from the ward."""
    put_ward(client)
    lead = {"role": [given.concept("named-lead", "urn:roles")], "member": given.reference(LEAD)}
    client.update(given.organisation("Ward", id="ward"))
    client.create(
        {"resourceType": "CareTeam", "status": "active", "participant": [lead],
         "subject": given.reference("Patient/mary")}
    )  # fmt: skip
    app = staff(record, "hospital-consultant", organisation="ward")
    return expect(app.post(PATH, emergency()), 201)


def shown(app: Client) -> Found:
    """Return what an app finds of an opening: kinds of Tasks and of Communications."""
    found: Found = {"Task": [], "Communication": []}
    for type in found:
        answer = app.get(f"{type}?patient=mary")
        if answer.status_code == 403:
            continue
        for entry in expect(answer, 200).get("entry", []):
            one = entry["resource"]
            concept = one["code"] if type == "Task" else one["category"][0]
            found[type].append(concept["coding"][0]["code"])
    return {type: sorted(some) for type, some in found.items()}


NOTHING: Found = {"Task": [], "Communication": []}
ALL: Found = {
    "Task": ["break-glass", "break-glass-review"],
    "Communication": ["alert", "notification"],
}
REVIEW: Found = {"Task": ["break-glass-review"], "Communication": []}


@pytest.mark.parametrize(
    ("role", "person", "organisation", "expected"),
    [
        ("gp", ANN, "surgery", ALL),
        ("hospital-consultant", LEAD, "hospital", ALL),
        ("privacy-officer", OFFICER, "ward", REVIEW),
        # The registered practice is told by the alert as well; the review is not theirs to close.
        ("privacy-officer", OFFICER, "surgery", REVIEW),
        # Whose matter it is not.
        ("privacy-officer", OFFICER, "hospital", NOTHING),
        ("gp", "Practitioner/officer", "hospital", NOTHING),
        ("hospital-consultant", "Practitioner/officer", "ward", NOTHING),
        ("nurse", "Practitioner/officer", "hospital", NOTHING),
        ("third-sector", "Practitioner/officer", "elsewhere", NOTHING),
        ("receptionist", "Practitioner/officer", "surgery", NOTHING),
        ("analyst", OFFICER, "ward", NOTHING),
        ("admin", OFFICER, "ward", NOTHING),
    ],
)
def test_each_of_staff_finds_what_is_theirs(
    record: "Record",
    opened: dict[str, Any],
    role: str,
    person: str,
    organisation: str,
    expected: Found,
) -> None:
    assert shown(staff(record, role, person=person, organisation=organisation)) == expected


def test_only_the_organisation_that_opened_it_closes_the_review(
    record: "Record", opened: dict[str, Any]
) -> None:
    path = f"{told(opened, 'review')['reference']}/$review"
    said = parameters(outcome=("Code", "justified"), text=("String", "She was unconscious."))

    for place, status in (("hospital", 404), ("surgery", 403), ("ward", 200)):
        officer = staff(record, "privacy-officer", person=OFFICER, organisation=place)
        assert officer.post(path, said).status_code == status, place


def test_the_alert_names_practice_and_lead_and_the_review_says_why(
    record: "Record", opened: dict[str, Any]
) -> None:
    lead = staff(record, "hospital-consultant", person=LEAD, organisation="hospital")
    [alert] = [
        one["resource"]
        for one in lead.read(f"Communication?patient=mary&recipient={LEAD}")["entry"]
    ]
    assert WHY in alert["payload"][0]["contentString"]
    assert {one["reference"] for one in alert["recipient"]} == {"Organization/surgery", LEAD}
    officer = staff(record, "privacy-officer", person=OFFICER, organisation="ward")
    [review] = officer.read("Task?owner=Organization/ward")["entry"]
    assert review["resource"]["description"] == WHY
    assert f"Task/{review['resource']['id']}" == told(opened, "review")["reference"]


def test_privacy_officers_find_the_event_and_others_of_staff_do_not(
    record: "Record", opened: dict[str, Any]
) -> None:
    asked = "AuditEvent?patient=mary&subtype=110127"
    officer = staff(record, "privacy-officer", person=OFFICER, organisation="ward")
    [event] = officer.read(asked)["entry"]
    assert {"reference": REID} in [one["who"] for one in event["resource"]["agent"]]

    gp = staff(record, "gp", person=ANN)
    assert gp.read(asked).get("entry", []) == []
    for role in ("receptionist", "analyst", "admin", "third-sector"):
        answer = staff(record, role, person=OFFICER).get(asked)
        assert answer.status_code == 403 or not answer.get_json().get("entry"), role


def test_the_patient_is_told_after_a_day(
    record: "Record", opened: dict[str, Any], client_with: App
) -> None:
    mary = client_with("patient/*.rs", kind="patient", patient="mary", patients=["mary"])
    john = client_with("patient/*.rs", kind="patient", patient="john", patients=["john"])
    ids = {one: told(opened, one)["reference"] for one in ("task", "review")}

    assert shown(mary) == NOTHING
    assert {mary.get(name).status_code for name in ids.values()} == {404}
    for hours, expected in ((23, NOTHING), (24, ALL)):
        later = replace(record, clock=lambda h=hours: record.clock() + h * HOUR + MINUTE)
        app = create_app(later).test_client()
        assert shown(Client(app, mary.token)) == expected
        assert shown(Client(app, john.token)) == NOTHING
    notice = Client(app, mary.token).read("Communication?category=notification")["entry"]
    text = notice[0]["resource"]["payload"][0]["contentString"]
    assert "Hospital consultant of Ward" in text
    assert WHY not in text
