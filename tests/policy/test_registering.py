"""Registering patients over FHIR: who is named as their practice, and who sees them then."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ehr.access.terms import DAY
from ehr.app import create_app
from ehr.audit.kinds import Kind
from tests import audited, given
from tests.client import Client, expect, outcome
from tests.policy.staff import MINUTE, put_ward, staff

if TYPE_CHECKING:
    from ehr.record import Record

Resource = dict[str, Any]
SURGERY, HOSPITAL = "Organization/surgery", "Organization/hospital"
ODS = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RH8"}
CLERK = "Practitioner/clerk"


@pytest.fixture(autouse=True)
def _places(client: Client) -> None:
    """Store a practice and a hospital, and a clerk of either."""
    put_ward(client)
    client.update_all(
        given.practice("Riverside Surgery", id="surgery"),
        given.organisation("City Hospital", id="hospital", identifier=[ODS]),
        given.practitioner(id="clerk"),
        given.practitioner(id="colleague"),
    )


def desk(
    record: "Record", organisation: str, person: str = CLERK, role: str = "receptionist"
) -> Any:
    """Give an app of the front desk of an organisation."""
    return staff(record, role, person=person, organisation=organisation)


def new(*practices: Resource) -> Resource:
    """Describe somebody of whom the record knows nothing."""
    listed = {"generalPractitioner": list(practices)} if practices else {}
    return given.patient("Zoe", "Adams", **listed)


def of(client: Client, type: str, patient: str) -> list[Resource]:
    """Return the resources of a type in a record."""
    return [one["resource"] for one in client.read(f"{type}?patient={patient}").get("entry", ())]


def test_the_desk_of_a_practice_registers_with_it(record: "Record", client: Client) -> None:
    app = desk(record, "surgery")

    made = expect(app.post("Patient", new(given.reference(SURGERY))), 201)

    assert app.read(f"Patient/{made['id']}")["name"] == made["name"]
    assert of(client, "Task", made["id"]) == []


@pytest.mark.parametrize("practices", [[], [given.reference(SURGERY)]])
def test_the_desk_of_a_hospital_sees_whom_it_registered_for_a_day(
    record: "Record", client: Client, practices: list[Resource]
) -> None:
    app = desk(record, "hospital")
    made = expect(app.post("Patient", new(*practices)), 201)
    path = f"Patient/{made['id']}"

    assert app.read(path)["name"] == made["name"]
    assert desk(record, "hospital", "Practitioner/colleague").get(path).status_code == 200
    assert desk(record, "elsewhere", "Practitioner/colleague").get(path).status_code == 404
    later = replace(record, clock=lambda: record.clock() + DAY + MINUTE)
    assert Client(create_app(later).test_client(), app.token).get(path).status_code == 404
    assert desk(later, "hospital").get(path).status_code == 404
    [task] = of(client, "Task", made["id"])
    assert task["code"]["coding"][0]["code"] == "self-claim"
    assert task["requester"] == given.reference(CLERK)
    told = of(client, "Communication", made["id"])
    assert [one["recipient"] for one in told] == ([practices] if practices else [])
    if told:
        assert told[0]["about"] == [given.reference(f"Task/{task['id']}")]
        assert "registered this person" in told[0]["payload"][0]["contentString"]


def test_what_goes_with_it_is_audited(record: "Record") -> None:
    with audited.since(record) as told:
        expect(desk(record, "hospital").post("Patient", new(given.reference(SURGERY))), 201)

    assert [row.kind for row in told] == [Kind.CREATE] * 3
    assert len({row.patient_key for row in told}) == 1


@pytest.mark.parametrize("role", ["receptionist", "admin"])
@pytest.mark.parametrize(
    "named",
    [given.reference(HOSPITAL), {"identifier": ODS}, {"identifier": ODS, "type": "Organization"}],
)
def test_a_hospital_is_nobodys_practice(
    record: "Record", client: Client, role: str, named: Resource
) -> None:
    answer = desk(record, "hospital", role=role).post("Patient", new(named))

    assert answer.status_code == 422
    [issue] = outcome(answer)
    assert issue["expression"] == ["Patient.generalPractitioner[0]"]
    assert "is no GP practice" in issue["diagnostics"]
    assert client.read("Patient?family=Adams").get("total") == 0


def test_nobody_is_registered_with_the_clerk(record: "Record") -> None:
    answer = desk(record, "surgery").post("Patient", new(given.reference(CLERK)))

    assert answer.status_code == 403


def test_gps_in_person_and_practices_of_others_are_named(record: "Record") -> None:
    other = [given.reference(SURGERY), given.reference("Practitioner/ann")]

    expect(desk(record, "hospital").post("Patient", new(*other)), 201)


def test_what_stood_there_stays(record: "Record", client: Client) -> None:
    """A system told that a hospital is the practice: it is passed on, and people leave it."""
    kept = client.update(
        given.patient("Old", id="old", generalPractitioner=[given.reference(HOSPITAL)])
    )
    admin = desk(record, "hospital", role="admin")

    changed = {**kept, "telecom": [{"system": "phone", "value": "1"}]}
    assert admin.put("Patient/old", changed, If_Match='W/"1"').status_code == 200


def test_in_a_transaction_each_has_a_claim(record: "Record", client: Client) -> None:
    entries = [given.entry(new(), method="POST", url="Patient") for _ in range(2)]
    answer = expect(desk(record, "hospital").post("", given.transaction(*entries)), 200)

    for entry in answer["entry"]:
        id = entry["response"]["location"].split("/Patient/")[1].split("/")[0]
        assert len(of(client, "Task", id)) == 1


def test_systems_claim_nothing(record: "Record", client: Client, client_of: Any) -> None:
    made = client_of("hospital").create(new(given.reference(HOSPITAL)))

    assert of(client, "Task", made["id"]) == []
