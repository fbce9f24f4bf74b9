"""Writes of an app, by every way: judged on the row as it stands and on what it becomes."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests import given
from tests.client import Client, outcome
from tests.policy.conftest import LAB, observation

App = Callable[..., Client]
MERGE, FHIRPATH = "application/merge-patch+json", "application/fhir+json"
JSON_PATCH = [{"op": "replace", "path": "/status", "value": "amended"}]
FHIRPATH_PATCH = given.fhirpath_patch("replace", "Observation.status", valueCode="amended")
PATCHES = [
    (JSON_PATCH, "application/json-patch+json"),
    ({"status": "amended"}, MERGE),
    (FHIRPATH_PATCH, FHIRPATH),
]


@pytest.fixture
def doctor(people: Client, client_with: App) -> App:
    """Give what makes apps of Mary's GP in which she is in context."""

    def make(scope: str, **granted: Any) -> Client:
        return client_with(scope, kind="professional", patient="mary", **granted)

    return make


@pytest.mark.parametrize(("patch", "media_type"), PATCHES, ids=["json", "merge", "fhirpath"])
def test_l07_l08_patches_reach_the_own_patient_only(
    doctor: App, people: Client, patch: Any, media_type: str
) -> None:
    app = doctor("patient/Observation.rus")

    assert app.patch("Observation/mary-vital", patch, media_type).status_code == 200
    hidden = app.patch("Observation/john-vital", patch, media_type)
    missing = app.patch("Observation/nobody-vital", patch, media_type)
    assert hidden.status_code == missing.status_code == 404
    assert _same(hidden, missing)
    assert people.read("Observation/john-vital")["status"] == "final"
    assert (
        doctor("patient/Observation.rs")
        .patch("Observation/mary-vital", patch, media_type)
        .status_code
        == 403
    )


def _same(one: Any, other: Any) -> bool:
    texts = [each.get_data(as_text=True).replace("john", "nobody") for each in (one, other)]
    return texts[0] == texts[1] and [*one.headers.keys()] == [*other.headers.keys()]


def test_l09_l10_nothing_is_moved_between_patients(doctor: App, people: Client) -> None:
    app = doctor("patient/Observation.cruds")
    hers = people.read("Observation/mary-vital")

    for who in ("john", "nobody"):
        moved = app.put(
            "Observation/mary-vital", hers | {"subject": given.reference(f"Patient/{who}")}
        )
        assert moved.status_code == 403, who
        taken = app.put("Observation/john-vital", observation(who, "john-vital"))
        assert taken.status_code == 404, who
        created = app.post("Observation", given.observation(f"Patient/{who}"))
        assert created.status_code == 403, who
    stolen = app.put("Observation/john-vital", observation("mary", "john-vital"))
    assert stolen.status_code == 404
    orphan = {name: value for name, value in hers.items() if name not in ("id", "subject")}
    assert app.post("Observation", orphan).status_code == 403
    patch = [{"op": "replace", "path": "/subject/reference", "value": "Patient/john"}]
    assert app.patch("Observation/mary-vital", patch).status_code == 403
    assert people.read("Observation/mary-vital")["subject"] == given.reference("Patient/mary")
    assert app.post("Observation", given.observation("Patient/mary")).status_code == 201


@pytest.mark.parametrize("header", [{}, {"If_Match": 'W/"1"'}, {"If_None_Match": "*"}])
def test_l14_a_guessed_id_is_no_question(
    doctor: App, people: Client, header: dict[str, str]
) -> None:
    app = doctor("patient/*.cruds")

    hidden = app.put("Observation/john-vital", observation("mary", "john-vital"), **header)
    missing = app.put("Observation/nobody-vital", observation("mary", "nobody-vital"), **header)
    assert hidden.status_code == missing.status_code == 404
    assert _same(hidden, missing)
    query = "Observation?identifier=urn:n|none"
    hidden = app.put(query, observation("mary", "john-vital"))
    missing = app.put(query, observation("mary", "nobody-vital"))
    assert hidden.status_code == missing.status_code == 404
    for method in ("delete",):
        hidden = getattr(app, method)("Observation/john-vital", **header)
        missing = getattr(app, method)("Observation/nobody-vital", **header)
        assert hidden.status_code == missing.status_code
        assert _same(hidden, missing)
    assert people.get("Observation/john-vital").status_code == 200


def test_l15_labels_are_changed_by_who_has_the_right(
    client_with: App, people: Client, client_of: App
) -> None:
    """A nurse labels what the own organisation entered, a patient nothing that is reported."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    labelled = {**given.observation("Patient/mary"), "meta": {"security": [label]}}
    patient = client_with("patient/*.cruds", patient="mary", person="Patient/mary")
    reported = labelled["meta"] | {"tag": [{"code": "patient-reported"}]}

    refused = patient.post("Observation", labelled | {"meta": reported})
    assert refused.status_code == 403
    assert outcome(refused)[0]["expression"] == ["Observation.meta.security"]
    stored = client_of("ward").create(labelled)
    path = f"Observation/{stored['id']}"
    stripped = {name: value for name, value in stored.items() if name != "meta"}
    nurse = client_with("user/*.cruds", kind="professional", role="nurse", person="Practitioner/n",
                        organisation="ward")  # fmt: skip
    ward = given.reference("Organization/ward")
    people.create(given.encounter("Patient/mary", status="in-progress", serviceProvider=ward))
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"security": [label]}}],
    }
    assert nurse.post(f"{path}/$meta-delete", parameters).status_code == 403
    assert people.read(path)["meta"]["security"] == [label]
    assert nurse.put(path, stripped).status_code == 200
    assert "security" not in people.read(path)["meta"]


def test_l15_labels_stay_where_only_the_rest_may_be_changed(
    doctor: App, client_of: App, people: Client
) -> None:
    """A coordinator changes plans of others, but not who sees them; a GP does that as well."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan",
            "subject": given.reference("Patient/mary"), "meta": {"security": [label]}}  # fmt: skip
    stored = client_of("ward").create(plan)
    path = f"CarePlan/{stored['id']}"
    stripped = {name: value for name, value in stored.items() if name != "meta"}
    app = doctor("user/*.cruds", role="care-coordinator")

    changed = app.put(path, stored | {"title": "Walks"}, If_Match='W/"1"')
    assert changed.status_code == 200
    stripped["title"] = "Walks"
    refused = [
        app.put(path, stripped, If_Match='W/"2"'),
        app.patch(path, [{"op": "remove", "path": "/meta/security"}], If_Match='W/"2"'),
    ]
    for answer in refused:
        assert answer.status_code == 403
        assert outcome(answer)[0]["expression"] == ["CarePlan.meta.security"]
    assert people.read(path)["meta"]["security"] == [label]
    unlabelled = doctor("user/*.cruds").put(path, stripped, If_Match='W/"2"')
    assert unlabelled.status_code == 200
    assert "security" not in people.read(path)["meta"]


def test_l31_conditions_match_what_is_seen(doctor: App, people: Client, client_of: App) -> None:
    for who in ("mary", "john"):
        client_of("surgery").update(
            observation(who, f"{who}-known", identifier=[{"value": "same"}])
        )
    app = doctor("patient/Observation.cruds")

    updated = app.put(
        "Observation?identifier=same",
        given.observation("Patient/mary", identifier=[{"value": "same"}], status="amended"),
    )
    assert updated.status_code == 200
    found = app.post(
        "Observation", given.observation("Patient/mary"), If_None_Exist="identifier=same"
    )
    assert found.status_code == 200
    patched = app.patch("Observation?identifier=same", JSON_PATCH)
    assert patched.status_code == 200
    assert json.loads(patched.data)["id"] == "mary-known"
    assert app.delete("Observation?identifier=same").status_code == 403  # no role deletes
    people.delete("Observation/mary-known")
    assert people.get("Observation/john-known").status_code == 200
    hers = given.observation("Patient/mary", identifier=[{"value": "same"}])
    assert app.post("Observation", hers, If_None_Exist="identifier=same").status_code == 201


@pytest.mark.parametrize("letters", ["c", "u", "d", "cs", "us", "ds", "cus", "rus"])
def test_conditional_writes_need_search_as_well(
    doctor: App, people: Client, client_with: App, letters: str
) -> None:
    app = doctor(f"patient/Observation.{letters}")
    body = given.observation("Patient/mary")

    created = app.post("Observation", body, If_None_Exist="code=1")
    assert (created.status_code == 201) == ({"c", "s"} <= {*letters})
    patched = app.patch("Observation?code=2951-2", JSON_PATCH)
    assert (patched.status_code == 200) == ({"u", "s"} <= {*letters})
    updated = app.put("Observation?code=2951-2", observation("mary", "mary-lab", LAB))
    assert (updated.status_code == 200) == ({"u", "s"} <= {*letters})
    made = app.put("Observation?code=none", body)
    assert (made.status_code == 201) == ({"c", "u", "s"} <= {*letters})
    system = client_with(f"system/Observation.{letters}", kind="system")
    deleted = system.delete("Observation?code=2951-2&patient=mary")
    assert (deleted.status_code == 204) == ({"d", "s"} <= {*letters})


def test_l34_patient_scopes_write_nothing_that_all_share(doctor: App, people: Client) -> None:
    app = doctor("patient/*.cruds")

    for type in ("Medication", "Organization", "ValueSet", "SearchParameter"):
        assert app.post(type, {"resourceType": type}).status_code == 403, type
    assert app.post("Medication", {"resourceType": "Medication"}).status_code == 403
    reid = people.read("Practitioner/reid")
    assert app.put("Practitioner/reid", reid | {"gender": "female"}).status_code == 403
    assert app.post("Patient", given.patient()).status_code == 403
    group = {"resourceType": "Group", "type": "person", "actual": True}
    assert app.post("Group", group).status_code == 403


def test_what_may_only_be_read_is_not_called_missing(doctor: App) -> None:
    app = doctor("patient/Observation.cruds?category=laboratory patient/Observation.rs")

    for answer in (
        app.put("Observation/mary-vital", observation("mary", "mary-vital")),
        app.patch("Observation/mary-vital", JSON_PATCH),
        app.delete("Observation/mary-vital"),
    ):
        assert answer.status_code == 403
        assert outcome(answer)[0]["code"] == "forbidden"
    assert app.patch("Observation/mary-lab", JSON_PATCH).status_code == 200


def test_granular_scopes_hold_before_and_after(doctor: App, people: Client) -> None:
    app = doctor("patient/Observation.cruds?category=laboratory")
    lab = people.read("Observation/mary-lab")

    assert app.put("Observation/mary-lab", lab | {"status": "amended"}).status_code == 200
    relabelled = observation("mary", "mary-lab")
    assert app.put("Observation/mary-lab", relabelled).status_code == 403
    taken = observation("mary", "mary-vital", LAB)
    assert app.put("Observation/mary-vital", taken).status_code == 404
    assert app.post("Observation", given.observation("Patient/mary")).status_code == 403
    fresh = {name: value for name, value in lab.items() if name not in ("id", "meta")}
    assert app.post("Observation", fresh).status_code == 201


def test_who_may_no_longer_read_is_not_shown_what_was_patched(doctor: App) -> None:
    app = doctor("patient/Observation.u patient/Observation.r?category=vital-signs")
    moved = [{"op": "replace", "path": "/category/0/coding/0/code", "value": LAB}]

    answer = app.patch("Observation/mary-vital", moved)
    assert answer.status_code == 200
    assert answer.data == b""
    assert app.get("Observation/mary-vital").status_code == 404


def entry(method: str, url: str, resource: Any = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    return made | ({"resource": resource} if resource is not None else {})


PATCH_BINARY = {
    "resourceType": "Binary",
    "contentType": "application/json-patch+json",
    "data": base64.b64encode(json.dumps(JSON_PATCH).encode()).decode(),
}
VERBS = {
    "read": ("r", entry("GET", "Observation/mary-vital")),
    "vread": ("r", entry("GET", "Observation/mary-vital/_history/1")),
    "history": ("r", entry("GET", "Observation/mary-vital/_history")),
    "history of a type": ("s", entry("GET", "Observation/_history")),
    "search": ("s", entry("GET", "Observation?code=8867-4")),
    "create": ("c", entry("POST", "Observation", given.observation("Patient/mary"))),
    "conditional create": (
        "cs",
        entry("POST", "Observation", given.observation("Patient/mary"), ifNoneExist="code=1"),
    ),
    "update": ("u", entry("PUT", "Observation/mary-vital", observation("mary", "mary-vital"))),
    "patch": ("u", entry("PATCH", "Observation/mary-vital", PATCH_BINARY)),
    "delete": ("d", entry("DELETE", "Observation/mary-lab")),
    "conditional delete": ("ds", entry("DELETE", "Observation?code=2951-2&patient=mary")),
}


@pytest.mark.parametrize("verb", VERBS)
def test_l05_entries_are_judged_by_themselves(
    people: Client, client_with: App, doctor: App, verb: str
) -> None:
    needed, asked = VERBS[verb]
    others = "".join(letter for letter in "cruds" if letter not in needed)
    for letters in (needed, others):
        if "d" in needed:  # no role deletes
            app = client_with(f"system/Observation.{letters} system/Patient.r", kind="system")
        else:
            app = doctor(f"patient/Observation.{letters} patient/Patient.r")
        good = entry("GET", "Patient/mary")
        batch = app.transact({"resourceType": "Bundle", "type": "batch", "entry": [asked, good]})
        first, second = (one["response"]["status"][:3] for one in batch["entry"])
        assert second == "200"
        assert (first == "403") == (letters == others), (letters, first)
        whole = app.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [asked]})
        assert (whole.status_code == 403) == (letters == others), (letters, whole.data)


@pytest.mark.parametrize("type", ["batch", "transaction"])
def test_l05_entries_reach_the_own_patient_only(doctor: App, people: Client, type: str) -> None:
    app = doctor("patient/*.cruds")
    cases = [
        (entry("GET", "Observation/john-vital"), "404"),
        (entry("GET", "Patient/john/$everything"), "404"),
        (entry("PUT", "Observation/john-vital", observation("john", "john-vital")), "404"),
        (entry("PATCH", "Observation/john-vital", PATCH_BINARY), "404"),
        (entry("POST", "Observation", given.observation("Patient/john")), "403"),
    ]
    for asked, status in cases:
        answer = app.post("", {"resourceType": "Bundle", "type": type, "entry": [asked]})
        if type == "transaction":
            assert str(answer.status_code) == status, asked
        else:
            assert answer.json["entry"][0]["response"]["status"].startswith(status), asked
    searched = entry("GET", "Observation?patient=john")
    answer = app.transact({"resourceType": "Bundle", "type": type, "entry": [searched]})
    assert "entry" not in answer["entry"][0]["resource"]


def test_patients_report_and_change_nothing(people: Client, client_with: App) -> None:
    app = client_with("patient/*.cruds", patient="mary", person="Patient/mary")
    carer = client_with("user/*.cruds", kind="carer", patients=("mary",))
    reading = given.observation("Patient/mary", status="preliminary")
    reported = reading | {"meta": {"tag": [{"code": "patient-reported"}]}}

    for one in (app, carer):
        made = one.create(reported)
        assert one.get(f"Observation/{made['id']}").status_code == 200
        assert one.post("Observation", reading).status_code == 403
        assert one.put(f"Observation/{made['id']}", made | {"status": "final"}).status_code == 403
        assert one.patch("Observation/mary-vital", JSON_PATCH).status_code == 403
        assert one.delete("Observation/mary-vital").status_code == 403
        assert one.post("Condition", given.condition("Patient/mary")).status_code == 403
        for other in ("john", "nobody"):
            his = reported | {"subject": given.reference(f"Patient/{other}")}
            assert one.post("Observation", his).status_code == 403
    consent = {
        "resourceType": "Consent",
        "status": "draft",
        "patient": given.reference("Patient/mary"),
        "scope": given.concept("patient-privacy", "urn:scope"),
        "category": [given.concept("y")],
        "policyRule": given.concept("z"),
    }
    assert app.post("Consent", consent).status_code == 201
    assert carer.post("Consent", consent).status_code == 403


@pytest.mark.parametrize("operation", ["$reindex", "$meta-add", "$meta-delete", "$export"])
def test_t27_operations_of_others_are_denied(mary: App, doctor: App, operation: str) -> None:
    for app in (mary("patient/*.cruds user/*.cruds"), doctor("user/*.cruds patient/*.cruds")):
        parameters = {"resourceType": "Parameters"}
        assert app.post(f"Observation/mary-vital/{operation}", parameters).status_code in (
            400, 403, 404, 405, 501)  # fmt: skip
        assert app.post(operation, parameters).status_code in (400, 403, 404, 405, 501)


def test_validation_tries_nothing_out_that_is_not_permitted(mary: App) -> None:
    app = mary("patient/Observation.rs")
    wrapped = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "mode", "valueCode": "create"},
            {"name": "resource", "resource": given.observation("Patient/mary")},
        ],
    }

    said = app.post("Observation/$validate", wrapped).json["issue"]
    assert [one["code"] for one in said] == ["forbidden"]
    assert app.post("Condition/$validate", given.condition("Patient/mary")).status_code == 403
    hidden = app.get("Observation/john-vital/$validate")
    assert hidden.status_code == 404
