"""J4: the patient adds a goal and blood pressures measured at home.

Left out: averages, thresholds, the advice for a very high value and the bounds on dates (back-dated
beyond 30 days, future dates), which are rules of care.
"""

from typing import Any

from tests import given
from tests.client import expect, outcome
from tests.policy.journeys.people import CATEGORY, MARY, Cast, changed


def goal(**more: Any) -> dict[str, Any]:
    """Describe a goal in Mary's own words."""
    said = {"expressedBy": given.reference(MARY), "lifecycleStatus": "proposed"}
    return given.goal(MARY, **said | more)


def reading(subject: str = MARY, **more: Any) -> dict[str, Any]:
    """Describe what was measured at home."""
    tag = {
        "code": "patient-reported",
        "system": "https://shared-care-record.example.org/fhir/CodeSystem/tags",
    }
    return given.observation(
        subject, code="8480-6", value=132, unit="mm[Hg]", status="preliminary",
        category=[given.concept("vital-signs", CATEGORY)],
        **{"performer": [given.reference(subject)], "meta": {"tag": [tag]}} | more,
    )  # fmt: skip


def test_a_goal_is_proposed_and_the_gp_accepts_it(cast: Cast) -> None:
    made = cast.mary.create(goal())
    assert made["expressedBy"]["reference"] == MARY
    path = f"Goal/{made['id']}"

    assert changed(cast.gp, path, lifecycleStatus="accepted").status_code == 200
    assert changed(cast.gp, path, lifecycleStatus="active").status_code == 200
    assert cast.mary.read(path)["lifecycleStatus"] == "active"


def test_block_a_goal_of_the_patient_s_is_not_accepted_by_the_patient(cast: Cast) -> None:
    assert cast.mary.post("Goal", goal(lifecycleStatus="accepted")).status_code == 403
    made = cast.mary.create(goal())

    answer = changed(cast.mary, f"Goal/{made['id']}", lifecycleStatus="accepted")

    assert answer.status_code == 403


def test_block_not_achieved_but_i_did_it(cast: Cast) -> None:
    path = f"Goal/{cast.mary.create(goal())['id']}"
    for status in ("accepted", "active"):
        expect(changed(cast.gp, path, lifecycleStatus=status), 200)
    achieved = given.concept("achieved", "http://terminology.hl7.org/CodeSystem/goal-achievement")

    assert changed(cast.mary, path, achievementStatus=achieved).status_code == 403
    did = [{"text": "I did it", "authorReference": given.reference(MARY)}]
    assert changed(cast.mary, path, note=did).status_code == 200


def test_a_note_that_is_patched_in_gets_its_author(cast: Cast) -> None:
    path = f"Goal/{cast.mary.create(goal())['id']}"
    note = [{"op": "add", "path": "/note", "value": [{"text": "I walked to the shop"}]}]

    expect(cast.mary.patch(path, note, If_Match='W/"1"'), 200)

    assert cast.gp.read(path)["note"][0]["authorReference"]["reference"] == MARY


def test_a_refusal_says_what_may_be_written(cast: Cast) -> None:
    answer = cast.mary.post("Observation", reading(meta={"tag": [{"code": "home"}]}))

    assert answer.status_code == 403
    assert "`meta.tag` has `patient-reported`" in outcome(answer)[0]["diagnostics"]


def test_a_reading_is_seen_by_the_team(cast: Cast) -> None:
    made = cast.mary.create(reading())

    for app in (cast.gp, cast.nurse):
        assert app.read(f"Observation/{made['id']}")["performer"][0]["reference"] == MARY
    assert cast.other_gp.get(f"Observation/{made['id']}").status_code == 404


def test_block_writing_for_somebody_else(cast: Cast) -> None:
    told = set()
    for about in ("Patient/john", "Patient/nobody"):
        answer = cast.mary.post("Observation", reading(about))
        told.add((answer.status_code, answer.text))
    # One answer, the same whether there is somebody: a body refused is a 403 (design, section 3).
    assert [status for status, _ in told] == [403]
    assert cast.mary.get("Patient/john").status_code == 404
    assert outcome(cast.mary.get("Patient/john"))[0]["diagnostics"] == "There is no Patient/john."
