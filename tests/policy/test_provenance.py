"""Who did what: Provenance lies with the patient it is about, AuditEvents are only added to."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import given
from tests.client import Client, outcome

App = Callable[..., Client]
HISTORY = "Observation?_id={id}&_revinclude=Provenance:target"


def provenance(*targets: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Provenance",
        "target": [given.reference(target) for target in targets],
        "recorded": "2024-05-01T09:15:00Z",
        "agent": [{"who": given.reference("Practitioner/reid")}],
        **more,
    }


def event(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "AuditEvent",
        "type": given.concept("rest", "http://example.org/audit")["coding"][0],
        "recorded": "2024-05-01T09:15:00Z",
        "agent": [{"requestor": True}],
        "source": {"observer": {"display": "gateway"}},
        **more,
    }


def along(app: Client, id: str) -> set[str]:
    """Return the ids of the Provenance that somebody sent and that comes with an Observation."""
    found = [one["resource"] for one in app.read(HISTORY.format(id=id)).get("entry", ())]
    some = {one["id"] for one in found if one["resourceType"] == "Provenance"}
    return {id for id in some if not id.startswith("auto-")}


@pytest.mark.parametrize("version", ["", "/_history/1"])
def test_a_patient_app_finds_the_provenance_of_that_patients_resources(
    people: Client, mary: App, version: str
) -> None:
    people.update(provenance(f"Observation/mary-lab{version}", "Practitioner/reid", id="of-hers"))
    people.update(provenance(f"Observation/john-lab{version}", id="of-his"))

    app = mary("patient/Observation.rs patient/Provenance.rs patient/Practitioner.rs")

    assert along(app, "mary-lab") == {"of-hers"}
    assert along(app, "john-lab") == set()
    assert along(mary("user/*.rs", kind="professional"), "john-lab") == {"of-his"}
    assert app.get("Provenance/of-hers").status_code == 200
    assert app.get("Provenance/of-his").status_code == 404
    assert {one["resource"]["id"] for one in app.read("Provenance")["entry"]} == {
        "of-hers",
        "mary-provenance",
    }


def test_l03_provenance_of_two_patients_is_neithers(people: Client, mary: App) -> None:
    people.update(provenance("Observation/mary-lab", "Observation/john-lab", id="of-both"))
    people.update(provenance("Patient/mary", "Observation/john-lab", id="of-both-too"))

    for app in (mary("patient/*.rs"), mary("user/*.rs", patients=("mary",))):
        assert along(app, "mary-lab") == set()
        assert app.get("Provenance/of-both").status_code == 404
        assert app.get("Provenance/of-both-too").status_code == 404
    assert along(people, "mary-lab") == {"of-both"}


def test_a_transaction_files_provenance_with_what_it_makes(people: Client, mary: App) -> None:
    full_url = "urn:uuid:9d3cbcd5-70ac-4b8e-9e43-7f5b3c1a2d40"
    entries = [
        {"request": {"method": "POST", "url": "Provenance"}, "resource": provenance(full_url)},
        {
            "fullUrl": full_url,
            "request": {"method": "POST", "url": "Observation"},
            "resource": given.observation("Patient/mary"),
        },
    ]
    made = people.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    locations = [one["response"]["location"].split("/")[-3] for one in made["entry"]]

    assert along(mary("patient/*.rs"), locations[1]) == {locations[0]}


def test_provenance_is_filed_when_it_says_whose_it_is(people: Client, mary: App) -> None:
    people.update(provenance("Observation/later", id="early"))
    assert mary("patient/*.rs").get("Provenance/early").status_code == 404

    people.update(given.observation("Patient/mary", id="later"))
    people.update(provenance("Observation/later", id="early", recorded="2024-05-02T09:15:00Z"))

    assert along(mary("patient/*.rs"), "later") == {"early"}


@pytest.mark.parametrize(
    ("kind", "scope", "status"),
    [
        ("professional", "user/*.cruds", 403),
        ("professional", "user/AuditEvent.cruds", 403),
        ("operator", "user/*.cruds", 403),
        ("patient", "patient/AuditEvent.cruds", 403),
        ("system", "system/*.cruds", 403),
        ("system", "system/AuditEvent.rud", 403),
        ("system", "system/AuditEvent.c", 201),
    ],
)
def test_only_systems_whose_scope_names_them_add_audit_events(
    people: Client, client_with: App, kind: str, scope: str, status: int
) -> None:
    app = client_with(scope, kind=kind, patient="mary")

    answer = app.post("AuditEvent", event())

    assert answer.status_code == status, answer.data
    assert app.put("AuditEvent/chosen", event(id="chosen")).status_code == 405


@pytest.mark.parametrize("caller", ["operator's own", "system/AuditEvent.cruds", "system/*.cruds"])
def test_nobody_changes_an_audit_event(
    people: Client, client_with: App, client_of: App, caller: str
) -> None:
    """Tampering: who covers traces would change or delete them."""
    kept = people.create(event())["id"]
    app = client_with(caller, kind="system") if "/" in caller else people
    changed = [{"op": "replace", "path": "/recorded", "value": "2020-01-01T00:00:00Z"}]
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": f"AuditEvent/{kept}"}}]}  # fmt: skip

    for answer in (
        app.put(f"AuditEvent/{kept}", event(id=kept, outcome="8")),
        app.patch(f"AuditEvent/{kept}", changed),
        app.delete(f"AuditEvent/{kept}"),
        app.delete("AuditEvent?date=2024-05-01"),
        app.post("", whole),
    ):
        assert answer.status_code == 405, answer.data
        assert outcome(answer)[0]["code"] == "not-supported"
    operator = client_of(kind="operator")
    assert operator.read(f"AuditEvent/{kept}")["meta"]["versionId"] == "1"
