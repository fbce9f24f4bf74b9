"""Leaks that other servers had in writes (L5 to L10, L14, L15, L31, L34), each tried on ours."""

from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.policy.house import SEALED, House, found, ids, is_as_unknown, open_house
from tests.policy.naive.vocabulary import ACT_CODE

if TYPE_CHECKING:
    from ehr.record import Record

JSON, MERGE = "application/json-patch+json", "application/merge-patch+json"
FHIRPATH, XML = "application/fhir+json", "application/xml-patch+xml"
AMENDED: dict[str, Any] = {
    JSON: [{"op": "replace", "path": "/status", "value": "amended"}],
    MERGE: {"status": "amended"},
    FHIRPATH: given.fhirpath_patch("replace", "Observation.status", valueCode="amended"),
    XML: '<diff xmlns="urn:ietf:params:xml:ns:patch-ops" xmlns:f="http://hl7.org/fhir">'
    '<replace sel="f:Observation/f:status/@value">amended</replace></diff>',
}


@pytest.fixture
def house(record: "Record") -> House:
    return open_house(record)


def pulse(who: str, **more: Any) -> dict[str, Any]:
    """Return a measurement of one of them."""
    return given.observation(f"Patient/{who}", **more)


@pytest.mark.parametrize("type", ["batch", "transaction"])
def test_l05_every_entry_is_judged_by_itself(house: House, type: str) -> None:
    """microsoft/fhir-server #3099: entries of Bundles went past the scopes."""
    asked = [
        given.entry(method="GET", url="Observation/john-pulse"),
        given.entry(method="GET", url="Patient/john/$everything"),
        given.entry(method="GET", url="Observation/john-pulse/_history"),
        given.entry(pulse("john", id="john-pulse"), method="PUT"),
        given.entry(method="DELETE", url="Condition/john-condition"),
        given.entry(given.goal("Patient/john"), method="POST"),
    ]
    for one in asked:
        answer = house.gp.post("", given.bundle(type, one))
        statuses = [str(answer.status_code)]
        if answer.status_code == 200:
            statuses = [each["response"]["status"][:3] for each in answer.get_json()["entry"]]
        assert set(statuses) <= {"403", "404", "422", "204"}, one
    [answer] = house.gp.transact(
        given.bundle(type, given.entry(method="GET", url="Observation?patient=mary,john"))
    )["entry"]
    assert ids(answer["resource"]) == {"mary-pulse", "mary-focus"}
    assert house.everything.get("Condition/john-condition").status_code == 200
    assert house.everything.read("Goal?_summary=count")["total"] == 0


def test_l06_scopes_beside_each_other_widen_nothing(house: House) -> None:
    """microsoft/fhir-server #5717, #5096: a wildcard beside a granular scope opened all."""
    for scope in (
        "user/*.rs user/Observation.rs?category=laboratory",
        "user/Observation.rs user/*.cruds",
        "user/Observation.rs?code=8867-4 user/Condition.rs patient/*.rs",
    ):
        client = house.staff("gp", "ann", "practice", scope)
        assert found(client, "Observation?_lastUpdated=gt1900") <= {"mary-pulse", "mary-focus"}
        assert found(client, "Condition?_lastUpdated=gt1900") == {"mary-condition"}
    narrow = house.staff("gp", "ann", "practice", "user/Observation.rs?category=vital-signs")
    assert found(narrow, "Observation?_lastUpdated=gt1900") == {"mary-pulse"}
    assert narrow.get("Observation/mary-focus").status_code == 404


@pytest.mark.parametrize("media", AMENDED)
def test_l07_no_kind_of_patch_reaches_what_is_hidden(house: House, media: str) -> None:
    """LinuxForHealth/FHIR #4101: JSON and FHIRPath patches were not held to anything."""
    for path in ("Observation/john-pulse", "Observation?_id=john-pulse"):
        same = is_as_unknown(house.gp, "PATCH", path, AMENDED[media], content_type=media)
        assert same, path
    assert house.everything.read("Observation/john-pulse")["status"] == "final"


@pytest.mark.parametrize("media", AMENDED)
def test_l08_patches_reach_the_own(house: House, media: str) -> None:
    """hapi-fhir #7240: a patch inside the compartment was judged as if outside."""
    own = house.gp.create(pulse("mary"))
    path = f"Observation/{own['id']}"

    response = house.gp.request("PATCH", path, AMENDED[media], content_type=media)

    assert response.status_code == 200
    assert house.everything.read(path)["status"] == "amended"


def test_l09_a_row_is_judged_as_it_stands(house: House) -> None:
    """hapi-fhir #667: who sent another's Observation with the own patient in it took it over."""
    taken = pulse("mary", id="john-pulse")

    assert house.gp.put("Observation/john-pulse", taken).status_code == 404
    patch = [{"op": "replace", "path": "/subject/reference", "value": "Patient/mary"}]
    assert house.gp.patch("Observation/john-pulse", patch).status_code == 404
    stored = house.everything.read("Observation/john-pulse")
    assert stored["subject"] == given.reference("Patient/john")


def test_l10_the_patient_of_a_row_does_not_change(house: House) -> None:
    """hapi-fhir #5558: a subject moved from patient to patient."""
    own = house.gp.create(pulse("mary"))
    path = f"Observation/{own['id']}"
    for who in ("john", "nobody"):
        moved = own | {"subject": given.reference(f"Patient/{who}")}
        assert house.gp.put(path, moved).status_code == 403
        patch = [{"op": "replace", "path": "/subject/reference", "value": f"Patient/{who}"}]
        assert house.gp.patch(path, patch).status_code == 403
    orphan = {name: value for name, value in own.items() if name != "subject"}
    assert house.gp.put(path, orphan).status_code == 422
    assert house.everything.read(path)["subject"] == given.reference("Patient/mary")


@pytest.mark.parametrize("headers", [{}, {"If-Match": 'W/"1"'}, {"If-None-Match": "*"}])
def test_l14_a_guessed_id_is_no_question(house: House, headers: dict[str, str]) -> None:
    """icanbwell/fhir-server #2409: 403 for what is there, 201 for what is not."""
    for who in ("mary", "john"):
        body = pulse(who, id="john-pulse")
        assert is_as_unknown(house.gp, "PUT", "Observation/john-pulse", body, headers=headers)
    assert is_as_unknown(house.gp, "DELETE", "Observation/john-pulse", headers=headers)
    assert house.everything.read("Observation/john-pulse")["meta"]["versionId"] == "1"


def test_l15_labels_are_not_changed_without_the_right(house: House) -> None:
    """icanbwell/fhir-server #2374, #2391: writers gave themselves access by a label.

    Anybody's plan is changed by who treats; its labels by who wrote it, and by GPs.
    """
    told = {"meta": {"security": [{"system": ACT_CODE, "code": "MH"}]}}
    house.everything.update(given.care_plan("Patient/mary", id="plan", **told))
    plan = house.consultant.read("CarePlan/plan")
    # A list without entries is no FHIR, whoever sends it.
    for meta, status in ((SEALED, 403), ({"security": []}, 400)):
        labelled = plan | {"meta": meta}
        sent = house.consultant.put("CarePlan/plan", labelled, If_Match='W/"1"')
        assert sent.status_code == status, meta
    for path, status in (("/meta/security", 403), ("/meta/security/0", 400)):
        gone = [{"op": "remove", "path": path}]
        sent = house.consultant.patch("CarePlan/plan", gone, If_Match='W/"1"')
        assert sent.status_code == status, path
    assert house.everything.read("CarePlan/plan")["meta"]["security"] == told["meta"]["security"]
    reported = SEALED | {"tag": [{"code": "patient-reported"}]}
    assert house.mary.post("Observation", pulse("mary", meta=reported)).status_code == 403


def test_l31_conditions_match_what_is_seen(house: House) -> None:
    """hapi-fhir #5712: conditions matched hidden rows, or told that several match."""
    mark = [{"system": "urn:n", "value": "same"}]
    for who in ("mary", "john"):
        house.everything.update(pulse(who, id=f"{who}-same", identifier=mark))
    hidden = [{"system": "urn:n", "value": "john-only"}]
    house.everything.update(pulse("john", id="john-only", identifier=hidden))
    query, amended = "identifier=urn:n|same", AMENDED[JSON]

    made = house.gp.request("POST", "Observation", pulse("mary"), headers={"If-None-Exist": query})
    assert made.status_code == 200
    for how in ("PATCH", "DELETE"):
        only = "Observation?identifier=urn:n|john-only"
        assert is_as_unknown(house.gp, how, only, amended if how == "PATCH" else None,
                             content_type=JSON), how  # fmt: skip
    body = pulse("mary", identifier=hidden)
    created = house.gp.request(
        "POST", "Observation", body, headers={"If-None-Exist": "identifier=urn:n|john-only"}
    )
    assert created.status_code == 201
    assert house.everything.read("Observation/john-only")["status"] == "final"
    assert house.everything.read("Observation/john-same")["status"] == "final"


def test_l34_what_is_passed_over_opens_nothing(house: House) -> None:
    """LinuxForHealth/FHIR #3593, #1069; fhir-works-on-aws #138, #32."""
    for shared in (given.organisation(), given.practitioner()):
        assert house.mary.post(shared["resourceType"], shared).status_code == 403
        assert house.gp.post(shared["resourceType"], shared).status_code == 403
    statements = {
        one.get("metadata").get_data(as_text=True)
        for one in (house.gp, house.mary, house.everything)
    }
    assert len(statements) == 1
    strict = {"Prefer": "handling=strict"}
    for asked in ("Observation?nonsense=1", "Observation?subject.nonsense=1", "?_type=x"):
        assert house.gp.request("GET", asked, headers=strict).status_code == 400, asked
    lenient = house.gp.request(
        "GET", "Observation?nonsense=1", headers={"Prefer": "handling=lenient"}
    )
    matches = [one for one in lenient.get_json()["entry"] if one["search"]["mode"] == "match"]
    assert ids({"entry": matches}) == {"mary-pulse", "mary-focus"}
