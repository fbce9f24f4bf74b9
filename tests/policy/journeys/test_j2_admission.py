"""J2: a consultant admits, discharges and hands over; the ward's relationship lasts the stay.

Left out: delays, `$handover`, destinations and open tasks at discharge, which are rules of care.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import given
from tests.client import Client, expect, outcome
from tests.policy.house import found
from tests.policy.journeys.people import MARY, Cast, changed, task, worker

WARD = given.reference("Organization/hospital")
ITEMS = ("Condition/diabetes", "MedicationRequest/metformin", "CareTeam/team")


def days_ago(days: float) -> str:
    """Return a moment so many days ago."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


def stay(ended: float | None = None, **more: Any) -> dict[str, Any]:
    """Describe a stay on the ward, still going on or ended so many days ago."""
    period = {"start": days_ago(60)} | ({} if ended is None else {"end": days_ago(ended)})
    status = "in-progress" if ended is None else "finished"
    return given.encounter(
        MARY, status=status, serviceProvider=WARD, period=period, **{"id": "stay"} | more
    )


def sees(app: Client) -> list[int]:
    """Return what reading each of the items is answered."""
    return [app.get(item).status_code for item in ITEMS]


def test_a_stay_opens_the_record_to_the_ward(cast: Cast) -> None:
    assert sees(cast.consultant) == [404, 404, 404]

    cast.system.update(stay())

    assert sees(cast.consultant) == [200, 200, 200]
    assert found(cast.consultant, "Condition?patient=mary") >= {"diabetes"}
    assert sees(cast.other_gp) == [404, 404, 404]


def test_the_ward_gives_tasks_and_the_gp_accepts_one(cast: Cast) -> None:
    cast.system.update(stay())
    asked = cast.consultant.create(task(worker("nurse"), "Encounter/stay"))
    handover = cast.consultant.create(task(worker("gp"), "Encounter/stay"))

    assert asked["requester"]["reference"] == worker("consultant")
    assert cast.nurse.read(f"Task/{asked['id']}")["status"] == "requested"
    accepted = changed(cast.gp, f"Task/{handover['id']}", status="accepted")
    assert accepted.status_code == 200
    assert cast.consultant.read(f"Task/{handover['id']}")["status"] == "accepted"
    refused = changed(cast.nurse, f"Task/{handover['id']}", status="completed")
    assert refused.status_code == 403


def test_the_ward_ends_the_stay_and_nobody_else_does(cast: Cast) -> None:
    cast.system.update(stay())
    ended = {"status": "finished", "period": {"start": days_ago(60), "end": days_ago(0)}}

    assert changed(cast.gp, "Encounter/stay", **ended).status_code == 403
    assert changed(cast.consultant, "Encounter/stay", **ended).status_code == 200
    assert sees(cast.consultant) == [200, 200, 200]


def message(about: str, recipient: str) -> dict[str, Any]:
    """Ask something about a stay or an item."""
    return {
        "resourceType": "Communication",
        "status": "completed",
        "subject": given.reference(MARY),
        "about": [given.reference(about)],
        "payload": [{"contentString": "Does her anticipatory plan still hold?"}],
        "recipient": [given.reference(recipient)],
    }


def test_a_thread_about_the_stay_is_the_team_s(cast: Cast) -> None:
    cast.system.update(stay())

    asked = cast.consultant.create(message("Encounter/stay", worker("gp")))
    answer = message("Encounter/stay", worker("consultant"))
    answer["inResponseTo"] = [given.reference(f"Communication/{asked['id']}")]
    answered = cast.gp.create(answer)

    assert asked["sender"]["reference"] == worker("consultant")
    assert answered["sender"]["reference"] == worker("gp")
    thread = {asked["id"], answered["id"]}
    for app in (cast.consultant, cast.gp, cast.nurse, cast.mary):
        assert found(app, "Communication?patient=mary") == thread
        assert app.read(f"Communication/{asked['id']}")["about"] == asked["about"]
    for name in ("other_gp", "social_worker", "receptionist", "third_sector"):
        assert cast.app(name).get(f"Communication/{asked['id']}").status_code == 404, name


def test_block_what_a_message_is_about_opens_and_tells_nothing(cast: Cast) -> None:
    """Naming what is hidden is answered as naming what is not there, and leads nowhere."""
    told = []
    for about in ("Condition/sealed", "Flag/safeguarding", "Condition/none-such"):
        made = cast.coordinator.create(message(about, worker("gp")))
        left = {key: one for key, one in made.items() if key not in ("id", "meta", "about")}
        told.append(left)
        assert cast.coordinator.get(about).status_code == 404
        search = f"Communication?_id={made['id']}&_include=*"
        assert about.partition("/")[2] not in found(cast.coordinator, search)

    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("name", ["other_gp", "third_sector", "receptionist", "officer", "admin"])
def test_block_nobody_else_joins_the_thread(cast: Cast, name: str) -> None:
    cast.system.update(stay())

    sent = cast.app(name).post("Communication", message("Encounter/stay", worker("gp")))

    assert sent.status_code == 403


@pytest.mark.parametrize(("days", "status"), [(29, 200), (31, 404)])
def test_block_access_ends_thirty_days_after_discharge(cast: Cast, days: int, status: int) -> None:
    cast.system.update(stay(ended=days))

    assert sees(cast.consultant) == [status] * 3
    assert cast.consultant.get(MARY).status_code == status
    fresh = cast.gp.create(given.condition(MARY, "44054006"))
    assert cast.consultant.get(f"Condition/{fresh['id']}").status_code == status


def test_unless_the_consultant_is_in_the_team(cast: Cast) -> None:
    cast.system.update(stay(ended=31))
    cast.system.update(given.care_team(MARY, worker("consultant"), id="heart"))

    assert sees(cast.consultant) == [200, 200, 200]


def test_block_the_gp_s_problem_is_not_edited_but_talked_of(cast: Cast) -> None:
    cast.system.update(stay())

    refused = changed(cast.consultant, "Condition/diabetes", note=[{"text": "In remission"}])

    assert refused.status_code == 403
    assert outcome(refused)[0]["code"] == "forbidden"
    proposed = task(worker("gp"), "Condition/diabetes", description="Please review")
    assert cast.consultant.create(proposed)["status"] == "requested"
    own = cast.consultant.create(given.condition(MARY, "84114007"))
    assert (
        changed(cast.consultant, f"Condition/{own['id']}", note=[{"text": "x"}]).status_code == 200
    )


def test_block_nobody_gives_a_ward_access_by_admitting_on_paper(cast: Cast) -> None:
    answer = cast.consultant.post("Encounter", stay(id="mine") | {"id": "mine"})

    assert answer.status_code == 403
    assert sees(cast.consultant) == [404, 404, 404]
    expect(cast.gp.get("Condition/diabetes"), 200)
