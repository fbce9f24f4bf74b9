"""J6: urgent care reads what decides in a crisis, and tells those who care for her.

Left out: justice notes, of which the record has no label yet, and that each exit notifies the GP by
itself, which is a rule of care.
"""

from typing import TYPE_CHECKING

import pytest

from ehr.audit.kinds import Kind
from tests import audited, given
from tests.policy.house import found
from tests.policy.journeys.people import MARY, NUMBERS, Cast, request, worker
from tests.policy.staff import emergency

if TYPE_CHECKING:
    from ehr.record import Record

BY_NUMBER = f"Patient?identifier={given.NHS_NUMBER}|{NUMBERS['mary']}"
HERE = given.reference("Organization/emergency")


@pytest.fixture
def arrived(cast: Cast) -> Cast:
    """Let Mary be in the emergency department, as its own system tells."""
    cast.system.create(given.encounter(MARY, status="in-progress", serviceProvider=HERE))
    return cast


def test_a_live_encounter_opens_the_crisis_view(arrived: Cast) -> None:
    app = arrived.urgent_care

    assert found(app, BY_NUMBER) == {"mary"}
    for path in ("Condition/diabetes", "MedicationRequest/metformin", "CareTeam/team"):
        assert app.get(path).status_code == 200
    assert app.get("Flag/safeguarding").status_code == 200


def test_messages_and_rapid_response(arrived: Cast) -> None:
    message = {"resourceType": "Communication", "status": "completed",
               "subject": given.reference(MARY), "payload": [{"contentString": "She fell."}],
               "recipient": [given.reference(worker("gp"))]}  # fmt: skip
    sent = arrived.urgent_care.create(message)
    assert sent["sender"]["reference"] == worker("urgent_care")
    assert arrived.gp.get(f"Communication/{sent['id']}").status_code == 200
    arrived.urgent_care.create(request("Organization/trust"))


def test_the_plan_is_read_and_that_is_told(arrived: Cast, record: "Record") -> None:
    """Plan read before decision is measured by the trail: who, which plan, when."""
    plan = f"CarePlan/{arrived.gp.create(given.care_plan(MARY))['id']}"
    app = arrived.urgent_care

    with audited.since(record) as told:
        app.read(plan)
        app.create(request("Organization/trust"))

    assert [(row.kind, row.agent, row.outcome) for row in told] == [
        (Kind.READ, worker("urgent_care"), 0),
        (Kind.CREATE, worker("urgent_care"), 0),
    ]
    by = f"AuditEvent?patient=mary&agent={worker('urgent_care')}"
    for reader in (arrived.officer, arrived.urgent_care):
        [event] = [one["resource"] for one in reader.read(f"{by}&action=R&entity={plan}")["entry"]]
        assert event["subtype"][0]["code"] == "read"
        assert f"{plan}/_history/1" in str(event["entity"])
    # Mary finds it too: the hospital has no reason to be held back.
    assert found(arrived.mary, f"{by}&action=R&entity={plan}")
    assert found(arrived.nurse, by) == set()


def test_a_plan_asked_for_in_vain_is_told_to_who_watches_alone(
    cast: Cast, record: "Record"
) -> None:
    plan = f"CarePlan/{cast.gp.create(given.care_plan(MARY))['id']}"

    with audited.since(record) as told:
        assert cast.urgent_care.get(plan).status_code == 404

    assert [(row.kind, row.outcome) for row in told] == [(Kind.READ, 4)]
    by = f"AuditEvent?patient=mary&agent={worker('urgent_care')}"
    assert found(cast.officer, f"{by}&outcome=4")
    for reader in (cast.mary, cast.urgent_care):
        assert found(reader, by) == set()


@pytest.mark.parametrize("item", ["Condition/chlamydia", "Condition/therapy", "Condition/sealed"])
def test_block_what_stays_masked(arrived: Cast, item: str) -> None:
    assert arrived.urgent_care.get(item).status_code == 404
    code = item.partition("/")[2]
    assert code not in found(arrived.urgent_care, "Condition?patient=mary")


def test_block_no_encounter_no_record(cast: Cast) -> None:
    assert cast.urgent_care.get(MARY).status_code == 404
    assert found(cast.urgent_care, BY_NUMBER) == set()


def test_block_safeguarding_is_not_opened_by_break_glass(cast: Cast) -> None:
    app = cast.urgent_care
    assert app.post(f"{MARY}/$break-glass", emergency()).status_code == 201

    assert app.get("Condition/diabetes").status_code == 200
    assert app.get("Flag/safeguarding").status_code == 404
    assert app.get("Condition/chlamydia").status_code == 404


def test_block_urgent_care_changes_no_plan(arrived: Cast) -> None:
    assert arrived.urgent_care.post("CarePlan", given.care_plan(MARY)).status_code == 403
