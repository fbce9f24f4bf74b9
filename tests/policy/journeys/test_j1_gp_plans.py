"""J1: a GP opens the record, plans, invites the social worker; the patient agrees.

Left out: activating a plan without the patient's view recorded, which is a rule of care.
The 403 with a hint at break-glass is a 404, the same for unknown people (design, section 3).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import given
from tests.client import expect, outcome
from tests.policy.house import found, ids
from tests.policy.journeys.people import (
    MARY,
    NUMBERS,
    Cast,
    changed,
    labelled,
    request,
    task,
    worker,
)
from tests.policy.journeys.test_j5_carer import proxy
from tests.policy.naive.vocabulary import AGREEMENT

BY_NUMBER = f"Patient?identifier={given.NHS_NUMBER}|"


def test_the_gp_opens_plans_and_invites(cast: Cast) -> None:
    gp = cast.gp
    assert found(gp, BY_NUMBER + NUMBERS["mary"]) == {"mary"}
    everything = gp.read(f"{MARY}/$everything?_type=CarePlan,Goal,CareTeam,Flag,Condition,Task")
    assert {"team", "diabetes", "safeguarding"} <= ids(everything)
    lead = {"role": [given.concept("named-lead", "urn:roles")],
            "member": given.reference(worker("gp"))}  # fmt: skip
    made = gp.transact(
        given.transaction(
            given.care_team(MARY, participant=[lead]),
            given.care_plan(MARY, status="draft"),
            given.goal(MARY, lifecycleStatus="proposed"),
        )
    )
    assert [one["response"]["status"][:3] for one in made["entry"]] == ["201"] * 3
    plan = made["entry"][1]["response"]["location"].partition("/fhir/")[2].partition("/_")[0]
    order = gp.create(request("Organization/council"))
    invited = gp.create(task("Organization/council", f"ServiceRequest/{order['id']}"))
    assert cast.social_worker.read(f"Task/{invited['id']}")["status"] == "requested"

    whole = gp.get(plan).get_json() | {"status": "active"}
    assert gp.put(plan, whole).status_code == 428
    assert gp.put(plan, whole, If_Match='W/"7"').status_code == 412
    assert changed(gp, plan, status="active").status_code == 200
    assert cast.mary.read(plan)["status"] == "active"


def test_block_a_gp_of_another_practice(cast: Cast) -> None:
    mary = cast.other_gp.get(MARY)
    nobody = cast.other_gp.get("Patient/nobody")

    assert (mary.status_code, nobody.status_code) == (404, 404)
    assert mary.text.replace("mary", "nobody") == nobody.text
    assert cast.other_gp.get("Condition/diabetes").status_code == 404
    assert found(cast.other_gp, BY_NUMBER + NUMBERS["mary"]) == set()
    assert found(cast.other_gp, "Condition?patient=mary") == set()


@pytest.mark.parametrize("type", ["Condition", "MedicationRequest", "Observation"])
def test_block_a_receptionist_reads_no_notes(cast: Cast, type: str) -> None:
    assert cast.receptionist.read(MARY)["id"] == "mary"

    answer = cast.receptionist.get(f"{type}?patient=mary")

    assert answer.status_code == 403
    assert "receptionist" in outcome(answer)[0]["diagnostics"]
    assert cast.receptionist.get("Condition/diabetes").status_code == 403


def test_block_nor_plans_unless_leading_the_team(cast: Cast) -> None:
    plan = cast.gp.create(given.care_plan(MARY))

    assert found(cast.receptionist, "CarePlan?patient=mary") == set()
    assert cast.receptionist.get(f"CarePlan/{plan['id']}").status_code == 404


def leading() -> dict[str, Any]:
    """Put the receptionist in the place of the named lead."""
    role = [given.concept("named-lead", "urn:roles")]
    return {"role": role, "member": given.reference(worker("receptionist"))}


def test_block_a_receptionist_does_not_make_herself_the_lead(cast: Cast) -> None:
    plan = cast.gp.create(given.care_plan(MARY))
    team = cast.system.read("CareTeam/team")
    joined = team | {"participant": [*team["participant"], leading()]}

    made = cast.receptionist.post("CareTeam", given.care_team(MARY, participant=[leading()]))
    assert made.status_code == 403
    put = cast.receptionist.put("CareTeam/team", joined, If_Match='W/"1"')
    assert put.status_code == 404
    # Nor does somebody of another organisation, who may name colleagues only.
    assert cast.nurse.put("CareTeam/team", joined, If_Match='W/"1"').status_code == 403
    assert cast.receptionist.get(f"CarePlan/{plan['id']}").status_code == 404


def test_block_even_as_named_lead_a_receptionist_reads_no_notes(cast: Cast) -> None:
    """The place adds plan and team to the role, and nothing clinical."""
    plan = cast.gp.create(given.care_plan(MARY))
    cast.gp.create(given.care_team(MARY, participant=[leading()]))
    assert cast.receptionist.get(f"CarePlan/{plan['id']}").status_code == 200

    for type in ("Condition", "MedicationRequest", "Observation", "Encounter", "Flag"):
        assert cast.receptionist.get(f"{type}?patient=mary").status_code == 403, type
    for path in ("Condition/diabetes", "MedicationRequest/metformin", "Flag/safeguarding"):
        assert cast.receptionist.get(path).status_code == 403, path
    shown = cast.receptionist.read(f"{MARY}/$everything")
    assert {one["resource"]["resourceType"] for one in shown["entry"]} <= {
        "Patient", "CarePlan", "CareTeam", "Goal", "Task", "Communication",
        "Organization", "Practitioner", "PractitionerRole",
    }  # fmt: skip


def test_the_patient_agrees_and_changes_nothing_else(cast: Cast) -> None:
    path = f"CarePlan/{cast.gp.create(given.care_plan(MARY, status='draft'))['id']}"
    agreed = [{"url": AGREEMENT, "valueCode": "agreed"}]

    assert changed(cast.mary, path, extension=agreed, title="Mine").status_code == 403
    assert changed(cast.mary, path, extension=agreed, status="active").status_code == 403
    other = [*agreed, {"url": "urn:other", "valueBoolean": True}]
    assert changed(cast.mary, path, extension=other).status_code == 403
    assert changed(cast.mary, path, extension=agreed).status_code == 200

    assert cast.gp.read(path)["extension"] == agreed
    [told] = [
        one["resource"]["agent"][0]["who"]["reference"]
        for one in cast.gp.read(f"Provenance?target={path}/_history/2")["entry"]
    ]
    assert told == MARY
    assert changed(cast.gp, path, status="active").status_code == 200


@pytest.mark.parametrize("name", ["nurse", "ben", "social_worker"])
def test_block_nobody_agrees_for_her(cast: Cast, name: str) -> None:
    cast.system.update(given.care_team(MARY, worker("social_worker"), id="social"))
    cast.mary.create(proxy("plan", actions=("read", "write")))
    path = f"CarePlan/{cast.gp.create(given.care_plan(MARY))['id']}"
    app = cast.ben if name == "ben" else cast.app(name)

    refused = changed(app, path, extension=[{"url": AGREEMENT, "valueCode": "agreed"}])

    assert refused.status_code == 403
    assert "extension" not in cast.gp.read(path)


def test_what_changed_since_the_last_visit(cast: Cast) -> None:
    """`_since` shows who asks what is theirs to see, of what changed after that moment."""
    plan = cast.gp.create(given.care_plan(MARY))
    last = cast.gp.read(f"CarePlan/{plan['id']}")["meta"]["lastUpdated"]
    goal = cast.gp.create(given.goal(MARY))
    sealed = cast.gp.create(given.condition(MARY, "38341003", meta=labelled("PSY")))
    since = f"_since={moment_after(last)}"

    everything = ids(cast.gp.read(f"{MARY}/$everything?{since}"))
    assert {goal["id"], sealed["id"]} <= everything
    assert not {"diabetes", "team", plan["id"]} & everything
    assert ids(cast.nurse.read(f"Goal/_history?{since}")) == {goal["id"]}
    for name in ("coordinator", "other_gp", "receptionist"):
        app = cast.app(name)
        for asked in (f"_history?{since}", f"Goal/_history?{since}"):
            answer = app.get(asked)
            assert sealed["id"] not in answer.text, (name, asked)
            assert (goal["id"] in answer.text) is (name == "coordinator"), (name, asked)
    assert cast.other_gp.get(f"CarePlan/{plan['id']}/_history?{since}").status_code == 404
    # Who leaves out all that was before is told no less of who asks in vain.
    assert cast.other_gp.get(f"{MARY}/$everything?{since}").status_code == 404
    assert cast.mary.get(f"Goal/_history?{since}").status_code == 403


def moment_after(instant: str) -> str:
    """Return the millisecond after an instant, as an address has it."""
    later = datetime.fromisoformat(instant) + timedelta(milliseconds=1)
    return later.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_block_stale_plans_are_told_the_current_version(cast: Cast) -> None:
    plan = cast.gp.create(given.care_plan(MARY, status="draft"))
    path = f"CarePlan/{plan['id']}"
    assert changed(cast.gp, path, title="Winter").status_code == 200

    stale = cast.gp.put(path, plan | {"title": "Summer"}, If_Match='W/"1"')

    assert stale.status_code == 412
    assert "2" in outcome(stale)[0]["diagnostics"]
    expect(cast.gp.get(path), 200)
