"""J3: a social worker accepts, assesses needs and orders home care.

Left out: packages that overlap or pause and `$change-impact`, which are rules of care.
"""

import pytest

from tests import given
from tests.client import Client, expect, outcome
from tests.policy.house import found
from tests.policy.journeys.people import (
    CONDITION_CATEGORY,
    MARY,
    Cast,
    changed,
    request,
    task,
    worker,
)

HOME_CARE = "60689008"


@pytest.fixture
def asked(cast: Cast) -> tuple[Cast, str]:
    """Let the GP ask the social worker; give the path of the Task."""
    order = cast.gp.create(request(worker("social_worker")))
    made = cast.gp.create(task(worker("social_worker"), f"ServiceRequest/{order['id']}"))
    return cast, f"Task/{made['id']}"


@pytest.fixture
def joined(asked: tuple[Cast, str]) -> tuple[Cast, str]:
    """Let the social worker accept."""
    cast, path = asked
    expect(changed(cast.social_worker, path, status="accepted"), 200)
    return asked


def need() -> dict[str, object]:
    """Describe a need."""
    return given.condition(MARY, "129839007", category=[given.concept("need", CONDITION_CATEGORY)])


def test_who_is_asked_sees_who_it_is_and_accepts(asked: tuple[Cast, str]) -> None:
    cast, path = asked
    app = cast.social_worker

    assert app.read(MARY).keys() >= {"name", "birthDate"}
    assert "identifier" not in app.read(MARY)
    assert app.get("Condition/diabetes").status_code == 404
    assert app.get("CareTeam/team").status_code == 404
    assert changed(app, path, status="accepted").status_code == 200
    assert app.get("Condition/diabetes").status_code == 200
    assert app.get("CareTeam/team").status_code == 200


def test_needs_assessment_and_a_package(joined: tuple[Cast, str]) -> None:
    cast, _ = joined
    app = cast.social_worker

    made = app.create(need())
    form = {"resourceType": "QuestionnaireResponse", "status": "completed",
            "subject": given.reference(MARY)}  # fmt: skip
    assessment = app.create(form)
    care = app.create(request("Organization/charity", HOME_CARE))

    for path in (f"Condition/{made['id']}", f"QuestionnaireResponse/{assessment['id']}",
                 f"ServiceRequest/{care['id']}"):  # fmt: skip
        assert cast.gp.get(path).status_code == 200
        assert cast.mary.get(path).status_code == 200
    less = changed(app, f"ServiceRequest/{care['id']}", note=[{"text": "Four visits a week"}])
    assert less.status_code == 200
    assert changed(cast.gp, f"ServiceRequest/{care['id']}", status="revoked").status_code == 403


@pytest.mark.parametrize("name", ["chlamydia", "therapy", "sealed"])
def test_block_what_is_not_for_social_care(joined: tuple[Cast, str], name: str) -> None:
    cast, _ = joined

    assert cast.social_worker.get(f"Condition/{name}").status_code == 404
    assert name not in found(cast.social_worker, "Condition?patient=mary")


def test_block_medicines_are_not_the_social_worker_s(joined: tuple[Cast, str]) -> None:
    cast, _ = joined
    medicine = cast.system.read("MedicationRequest/metformin")

    assert cast.social_worker.get("MedicationRequest?patient=mary").status_code == 403
    assert cast.social_worker.post("MedicationRequest", medicine).status_code == 403
    sent = cast.social_worker.put("MedicationRequest/metformin", medicine, If_Match='W/"1"')
    assert sent.status_code == 403


def test_block_nor_diagnoses(joined: tuple[Cast, str]) -> None:
    cast, _ = joined

    assert cast.social_worker.post("Condition", given.condition(MARY)).status_code == 403


def test_block_nothing_clinical_once_the_task_has_ended(joined: tuple[Cast, str]) -> None:
    cast, path = joined
    app = cast.social_worker
    plan = cast.gp.create(given.care_plan(MARY))
    expect(changed(app, path, status="in-progress"), 200)
    assert _reads(app, plan["id"]) == [200, 200]

    expect(changed(app, path, status="completed"), 200)

    assert _reads(app, plan["id"]) == [404, 200]


def _reads(app: Client, plan: str) -> list[int]:
    """Return what a diagnosis and the plan are answered: the plan is seen for a while."""
    return [app.get(path).status_code for path in ("Condition/diabetes", f"CarePlan/{plan}")]


def test_what_leads_alone_may_ask_is_no_matter_of_emergencies(cast: Cast) -> None:
    """Breaking the glass would not help: it makes nobody the lead of a team."""
    answer = cast.social_worker.get("CareTeam/nobody/_history")

    assert answer.status_code == 404
    [_, hint] = outcome(answer)
    assert "named lead" in hint["diagnostics"]
    assert "break-glass" not in hint["diagnostics"]
