"""What a write refers to: nobody names a body or a person that they may not see (`ehr/README.md`).

A reference is a way in: a Binary is read through what refers to it, and a row lies in the
compartment of each patient that it names. What is hidden is refused as what is not there.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.client import Client, expect
from tests.policy.staff import put_ward, staff
from tests.policy.test_binaries import binary, letter

if TYPE_CHECKING:
    from ehr.record import Record

App = Callable[..., Client]


@pytest.fixture
def doctor(client: Client, record: "Record") -> Client:
    """Give an app of a doctor of the practice where Mary is registered, and John is not."""
    put_ward(client)
    return staff(record)


def visit(*who: str) -> dict[str, Any]:
    """Describe an appointment of some patients."""
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2026-03-01T09:00:00Z",
        "end": "2026-03-01T09:20:00Z",
        "participant": [
            {"actor": given.reference(f"Patient/{one}"), "status": "accepted"} for one in who
        ],
    }


def test_nobody_refers_to_a_binary_that_is_not_there_yet(client: Client, doctor: Client) -> None:
    """It would open what is put there later, by whoever knows which id that will have."""
    refused = doctor.post("DocumentReference", letter("mary", {"id": "to-come"}))

    assert refused.status_code == 422
    assert "Binary/to-come, which is not in this record" in refused.get_data(as_text=True)
    client.update_all(binary(id="to-come"))
    assert doctor.get("Binary/to-come").status_code == 404


def test_an_id_that_another_organisation_took_is_told_as_free(
    client: Client, doctor: Client
) -> None:
    theirs = client.create(binary())["id"]
    told = []
    for id in (theirs, "nobody-took-it"):
        refused = doctor.post("DocumentReference", letter("mary", {"id": id}))
        told.append((refused.status_code, _without_ids(refused, id)))

    assert told[0] == told[1]
    assert told[0][0] == 422


def test_a_binary_is_sent_with_what_refers_to_it(doctor: Client) -> None:
    body = {"fullUrl": "urn:uuid:6f1d0d5c-0d9b-4f6e-9a53-1b4a1b0c2d3e", "resource": binary(),
            "request": {"method": "POST", "url": "Binary"}}  # fmt: skip
    about = letter("mary", {"id": "?"})
    about["content"][0]["attachment"]["url"] = body["fullUrl"]
    sent = {"resource": about, "request": {"method": "POST", "url": "DocumentReference"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [body, sent]}

    answer = expect(doctor.post("", bundle), 200)
    made = answer["entry"][0]["response"]["location"].partition("/_history")[0]
    assert doctor.get(made[made.index("Binary/") :]).status_code == 200


def test_who_is_not_seen_is_not_named_beside_who_is(doctor: Client) -> None:
    told = []
    for other in ("john", "nobody-at-all"):
        refused = doctor.post("Appointment", visit("mary", other))
        told.append((refused.status_code, _without_ids(refused, other)))

    assert told[0] == told[1]
    assert told[0][0] == 422
    assert "Patient/*, which is not in this record" in told[0][1]


@pytest.mark.parametrize("record_settings", [{}, {"EHR_REFERENCES": "all"}], ids=["usual", "all"])
@pytest.mark.parametrize(
    "beside",
    [
        {"asserter": given.reference("Patient/not-there")},
        {"encounter": given.reference("Encounter/not-there")},
        {"recorder": given.reference("Practitioner/not-there")},
        {},
    ],
    ids=lambda one: next(iter(one), "nothing"),
)
def test_a_reference_that_leads_nowhere_does_not_tell_whose_record_there_is(
    doctor: Client, beside: dict[str, Any]
) -> None:
    """A patient who is not there was refused before what is named beside; a hidden one after."""
    told = []
    for who in ("john", "nobody-at-all"):
        refused = doctor.post("Condition", given.condition(f"Patient/{who}", **beside))
        told.append((refused.status_code, _without_ids(refused, who)))

    assert told[0] == told[1]
    assert told[0][0] in (403, 422)


def test_who_is_seen_is_named_beside_another(client: Client, doctor: Client) -> None:
    john = client.read("Patient/john")
    client.update_all({**john, "generalPractitioner": [given.reference("Organization/surgery")]})

    assert doctor.post("Appointment", visit("mary", "john")).status_code == 201


def test_what_others_named_may_stay(client: Client, doctor: Client) -> None:
    """Whoever changes a row need not see everybody whom it named before."""
    told_by = [{"reference": "Patient/john"}]
    row = client.create(given.condition("Patient/mary", asserter=told_by[0]))

    changed = doctor.put(f"Condition/{row['id']}", {**row, "recordedDate": "2026-03-01"})
    assert changed.status_code == 200


def test_patients_are_made_with_what_names_them(client: Client, record: "Record") -> None:
    put_ward(client)
    new = {"fullUrl": "urn:uuid:0c1f7a5e-58b8-4a3e-9c50-7e1f0a2b3c4d", "resource": given.patient(),
           "request": {"method": "POST", "url": "Patient"}}  # fmt: skip
    both = visit("mary", "?")
    both["participant"][1]["actor"] = {"reference": new["fullUrl"]}
    sent = {"resource": both, "request": {"method": "POST", "url": "Appointment"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [new, sent]}

    expect(staff(record, "receptionist").post("", bundle), 200)


def _without_ids(response: Any, id: str) -> str:
    text: str = response.get_data(as_text=True)
    return re.sub(r"[0-9a-f-]{36}", "-", text.replace(id, "*"))
