"""J1: a GP opens the record, plans, invites the social worker; the patient agrees.

Left out: activating a plan without the patient's view recorded, which is a rule of care.
The 403 with a hint at break-glass is a 404, the same for unknown people (design, section 3).
"""

import pytest

from tests import given
from tests.client import expect, outcome
from tests.policy.house import found, ids
from tests.policy.journeys.people import MARY, NUMBERS, Cast, changed, request, task, worker

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


def test_block_stale_plans_are_told_the_current_version(cast: Cast) -> None:
    plan = cast.gp.create(given.care_plan(MARY, status="draft"))
    path = f"CarePlan/{plan['id']}"
    assert changed(cast.gp, path, title="Winter").status_code == 200

    stale = cast.gp.put(path, plan | {"title": "Summer"}, If_Match='W/"1"')

    assert stale.status_code == 412
    assert "2" in outcome(stale)[0]["diagnostics"]
    expect(cast.gp.get(path), 200)
