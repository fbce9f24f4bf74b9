"""Who lets themself into a record by a CareTeam, Encounter or Task: let, and told of (T39).

auth/README.md: adding oneself is a claim, as `$claim-relationship` is, with the same alert.
"""

from typing import TYPE_CHECKING, Any

import pytest

from ehr.audit.kinds import Kind
from fhir_profiles.resource_types import type_number
from tests import audited, given
from tests.client import expect
from tests.policy.house import House, open_house

if TYPE_CHECKING:
    from ehr.record import Record

Resource = dict[str, Any]
BEN, ANN, CARL = "Practitioner/ben", "Practitioner/ann", "Practitioner/carl"


@pytest.fixture
def house(record: "Record") -> House:
    """Give the record; Ben of the ward treats Mary, whose GP's practice is told."""
    found = open_house(record)
    found.everything.update(given.organisation("City Hospital", id="ward"))
    return found


def team(*members: str, **more: Any) -> Resource:
    """Describe a team of Mary's."""
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": given.reference("Patient/mary"),
        "participant": [{"member": given.reference(name)} for name in members],
        **more,
    }


def task(**more: Any) -> Resource:
    """Describe a Task about Mary, which Ben has taken on."""
    return {
        "resourceType": "Task",
        "status": "in-progress",
        "intent": "order",
        "for": given.reference("Patient/mary"),
        "owner": given.reference(BEN),
        **more,
    }


def alerts(house: House) -> list[Resource]:
    """Return the Communications in Mary's record."""
    bundle = house.everything.read("Communication?patient=mary")
    return [entry["resource"] for entry in bundle.get("entry", [])]


def test_t39_who_adds_themself_to_a_team_is_told_of(house: House) -> None:
    made = expect(house.consultant.post("CareTeam", team(BEN)), 201)

    [alert] = alerts(house)
    assert alert["category"][0]["coding"][0]["code"] == "alert"
    assert alert["recipient"] == [given.reference("Organization/practice")]
    assert alert["about"] == [given.reference(f"CareTeam/{made['id']}")]
    text = alert["payload"][0]["contentString"]
    assert "Hospital consultant of City Hospital" in text
    assert "CareTeam.participant[0]" in text


def test_named_leads_are_told_as_well(house: House) -> None:
    lead = {"role": [given.concept("named-lead", "urn:roles")], "member": given.reference(CARL)}
    house.everything.update(given.practitioner(id="carl"))
    house.everything.create(team() | {"participant": [lead]})

    expect(house.consultant.post("CareTeam", team(BEN)), 201)

    [alert] = alerts(house)
    assert alert["recipient"] == [given.reference("Organization/practice"), given.reference(CARL)]


@pytest.mark.parametrize("method", ["update", "patch", "transaction"])
def test_however_it_is_written(house: House, method: str) -> None:
    made = house.everything.create(team(ANN))
    name, after = f"CareTeam/{made['id']}", {**made, **team(ANN, BEN), "id": made["id"]}
    match method:
        case "update":
            answer = house.consultant.put(name, after, if_match='W/"1"')
        case "patch":
            added = {
                "op": "add",
                "path": "/participant/-",
                "value": {"member": given.reference(BEN)},
            }
            answer = house.consultant.patch(
                name, [added], "application/json-patch+json", if_match='W/"1"'
            )
        case _:
            entry = given.entry(after, method="PUT", url=name)
            entry["request"]["ifMatch"] = 'W/"1"'
            answer = house.consultant.post("", given.transaction(entry))
    assert answer.status_code == 200, answer.text

    [alert] = alerts(house)
    assert alert["about"] == [given.reference(name)]


def test_t39_who_takes_on_a_task_that_nobody_asked_for_is_told_of(house: House) -> None:
    made = expect(house.consultant.post("Task", task(requester=given.reference(BEN))), 201)

    assert [one["about"] for one in alerts(house)] == [[given.reference(f"Task/{made['id']}")]]


def test_nobody_is_told_of_what_lets_in_nobody_new(house: House) -> None:
    """Colleagues, tasks that others asked for, and the practice, which would be told of itself."""
    behalf = {"member": given.reference(ANN), "onBehalfOf": given.reference("Organization/ward")}
    expect(house.consultant.post("CareTeam", team() | {"participant": [behalf]}), 201)
    asked = house.everything.create(task(status="requested", requester=given.reference(ANN)))
    accepted = {**asked, "status": "accepted"}
    answer = house.consultant.put(f"Task/{asked['id']}", accepted, if_match='W/"1"')
    assert answer.status_code == 200, answer.text
    mine = task(owner=given.reference(ANN), requester=given.reference(ANN))
    expect(house.gp.post("Task", mine), 201)
    expect(house.gp.post("CareTeam", team(ANN)), 201)
    house.everything.create(team(BEN))

    assert alerts(house) == []


def test_what_is_refused_tells_nobody(house: House) -> None:
    refused = team(BEN, "Practitioner/zoe")

    assert house.consultant.post("CareTeam", refused).status_code == 403
    assert alerts(house) == []


def test_the_alert_is_audited_with_what_it_is_about(house: House, record: "Record") -> None:
    with audited.since(record) as told:
        expect(house.consultant.post("CareTeam", team(BEN)), 201)

    assert [(row.kind, row.type) for row in told] == [
        (Kind.CREATE, type_number("CareTeam")),
        (Kind.CREATE, type_number("Communication")),
    ]
    assert {row.patient_key for row in told} == {told[0].patient_key}
    assert told[0].patient_key > 0
    assert {row.agent for row in told} == {told[0].agent}


def test_each_claim_of_a_transaction_has_its_alert(house: House) -> None:
    entries = [
        given.entry(one, method="POST", url=one["resourceType"]) for one in (team(BEN), task())
    ]
    expect(house.consultant.post("", given.transaction(*entries)), 200)

    names = {one["about"][0]["reference"].partition("/")[0] for one in alerts(house)}
    assert names == {"CareTeam", "Task"}


def test_without_anybody_to_tell_nothing_is_written(house: House) -> None:
    mary = house.everything.read("Patient/mary")
    del mary["generalPractitioner"]
    house.everything.update(mary)

    expect(house.consultant.post("CareTeam", team(BEN)), 201)
    assert alerts(house) == []
