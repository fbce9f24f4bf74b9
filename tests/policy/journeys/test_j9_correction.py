"""J9: Mary says that something is wrong, and who wrote it answers.

Left out: routing, the banner, due dates and that a refusal keeps her statement, which are rules of
care.
"""

from typing import Any

import pytest

from tests import given
from tests.client import expect, outcome
from tests.policy.journeys.people import MARY, STAFF, Cast, changed, task, worker
from tests.policy.journeys.test_j5_carer import proxy

ITEM = "Condition/diabetes"


def correction() -> dict[str, Any]:
    """Describe what Mary sends."""
    code = given.concept(
        "correction", "https://shared-care-record.example.org/fhir/CodeSystem/task"
    )
    return task("Organization/surgery", ITEM, code=code, description="I never had this.")


@pytest.fixture
def disputed(cast: Cast) -> tuple[Cast, str]:
    """Let Mary dispute the diagnosis; give the path of her Task."""
    return cast, f"Task/{cast.mary.create(correction())['id']}"


def test_everybody_in_her_care_sees_the_dispute(disputed: tuple[Cast, str]) -> None:
    cast, path = disputed

    for app in (cast.gp, cast.nurse, cast.mary):
        shown = app.read(path)
        assert shown["focus"]["reference"] == ITEM
        assert shown["requester"]["reference"] == MARY
    assert cast.other_gp.get(path).status_code == 404


def test_who_wrote_it_corrects_it_and_says_so(disputed: tuple[Cast, str]) -> None:
    cast, path = disputed
    expect(changed(cast.gp, path, status="accepted"), 200)

    expect(changed(cast.gp, ITEM, note=[{"text": "Entered for somebody else"}]), 200)
    expect(changed(cast.gp, path, status="in-progress"), 200)
    expect(changed(cast.gp, path, status="completed"), 200)

    history = cast.mary.get(f"{ITEM}/_history/1")
    assert history.status_code == 200
    told = cast.mary.read(f"Provenance?target={ITEM}")["entry"]
    by = [one["resource"]["agent"][0]["who"].get("reference") for one in told]
    assert "Practitioner/gp" in by
    assert cast.mary.read(path)["status"] == "completed"


def test_or_declines_with_a_reason(disputed: tuple[Cast, str]) -> None:
    cast, path = disputed

    expect(changed(cast.gp, path, status="rejected", statusReason={"text": "Tests are clear"}), 200)

    assert cast.mary.read(path)["statusReason"] == {"text": "Tests are clear"}


@pytest.mark.parametrize("name", ["nurse", "coordinator"])
@pytest.mark.parametrize("status", ["accepted", "rejected", "completed"])
def test_block_no_other_role_closes_it(disputed: tuple[Cast, str], name: str, status: str) -> None:
    cast, path = disputed

    answer = changed(cast.app(name), path, status=status)

    assert answer.status_code == 403
    assert outcome(answer)[0]["diagnostics"]
    assert cast.mary.read(path)["status"] == "requested"


@pytest.mark.parametrize("name", ["mary", "ben"])
def test_block_nor_who_asked_nor_who_acts_for_her(disputed: tuple[Cast, str], name: str) -> None:
    cast, path = disputed
    cast.mary.create(proxy("plan", "conditions", actions=("read", "write")))
    app = cast.mary if name == "mary" else cast.ben

    refused = {
        status: changed(app, path, status=status).status_code
        for status in ("accepted", "rejected", "completed")
    }
    # Who asked may change the Task, and not answer it; from requested nobody goes to completed.
    done = 409 if name == "mary" else 403
    assert refused == {"accepted": 403, "rejected": 403, "completed": done}
    assert cast.mary.read(path)["status"] == "requested"


STRANGERS = sorted({*STAFF} - {"gp", "nurse", "coordinator"})


@pytest.mark.parametrize("name", STRANGERS)
def test_block_who_is_not_in_her_care_neither_sees_nor_closes_it(
    disputed: tuple[Cast, str], name: str
) -> None:
    cast, path = disputed
    app, whole = cast.app(name), cast.system.read(path)

    assert app.get(path).status_code == 404
    for status in ("accepted", "rejected", "completed", "cancelled"):
        sent = app.put(path, whole | {"status": status}, If_Match='W/"1"')
        assert sent.status_code == 404
    assert cast.system.read(path)["meta"]["versionId"] == "1"


def _treat(cast: Cast) -> None:
    """Let those of hospital, emergency department and council treat Mary too."""
    cast.system.update(given.care_team(MARY, worker("social_worker"), id="social"))
    for place in ("hospital", "emergency"):
        here = given.reference(f"Organization/{place}")
        cast.system.update(
            given.encounter(MARY, id=place, status="in-progress", serviceProvider=here)
        )


@pytest.mark.parametrize("name", ["consultant", "urgent_care", "social_worker"])
def test_block_nor_does_who_treats_her_elsewhere(disputed: tuple[Cast, str], name: str) -> None:
    cast, path = disputed
    _treat(cast)
    app = cast.app(name)

    assert app.read(path)["status"] == "requested"
    for status in ("accepted", "rejected", "completed"):
        assert changed(app, path, status=status).status_code == 403
    assert app.delete(path).status_code == 403


def test_block_no_silent_edit(disputed: tuple[Cast, str]) -> None:
    cast, _ = disputed

    for app in (cast.mary, cast.nurse):
        assert changed(app, ITEM, note=[{"text": "changed"}]).status_code == 403
    assert cast.system.read(ITEM)["meta"]["versionId"] == "1"


def test_block_no_deletion(disputed: tuple[Cast, str]) -> None:
    cast, path = disputed

    for app in (cast.mary, cast.gp, cast.nurse, cast.admin):
        assert app.delete(ITEM).status_code == 403
        assert app.delete(path).status_code == 403
