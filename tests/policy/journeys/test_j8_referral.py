"""J8: a referral that is asked for, accepted or rejected, done, and seen by the patient throughout.

Left out: duplicates of an active request, which is a rule of care.
"""

import pytest

from tests import given
from tests.client import Client, expect, outcome
from tests.policy.house import found
from tests.policy.journeys.people import MARY, Cast, changed, request, task, worker

HOSPITAL = "Organization/hospital"


@pytest.fixture
def referred(cast: Cast) -> tuple[Cast, str, str]:
    """Refer Mary to the hospital; give the paths of the order and of its Task."""
    order = f"ServiceRequest/{cast.gp.create(request(HOSPITAL))['id']}"
    return cast, order, f"Task/{cast.gp.create(task(HOSPITAL, order))['id']}"


def reads(app: Client) -> bool:
    """Tell whether somebody reads what is clinical of Mary."""
    return app.get("Condition/diabetes").status_code == 200


def test_block_detail_is_minimal_until_accepted(referred: tuple[Cast, str, str]) -> None:
    cast, order, path = referred
    app = cast.consultant

    assert app.get(order).status_code == 200
    assert app.get(path).status_code == 200
    shown = app.read(MARY)
    assert set(shown) <= {
        "resourceType", "id", "meta", "name", "birthDate", "gender", "generalPractitioner",
    }  # fmt: skip
    assert not reads(app)
    assert found(app, "Condition?patient=mary") == set()
    assert app.read("Patient?_summary=count")["total"] == 1


def test_accepted_worked_on_and_done(referred: tuple[Cast, str, str]) -> None:
    cast, order, path = referred
    app = cast.consultant

    for status in ("received", "accepted", "in-progress"):
        expect(changed(app, path, status=status), 200)
        assert reads(app) is (status != "received")
        assert cast.mary.read(path)["status"] == status
    letter = app.create(given.condition(MARY, "84114007"))
    output = [{"type": {"text": "finding"},
               "valueReference": given.reference(f"Condition/{letter['id']}")}]  # fmt: skip
    expect(changed(app, path, status="completed", output=output), 200)

    assert cast.gp.read(path)["output"] == output
    assert cast.mary.read(order)["id"] == order.partition("/")[2]
    # What was done leaves the plan open for a while, and nothing clinical.
    assert app.get("CareTeam/team").status_code == 200
    assert not reads(app)


def test_rejected_with_a_reason_opens_nothing(referred: tuple[Cast, str, str]) -> None:
    cast, _, path = referred

    expect(changed(cast.consultant, path, status="rejected", statusReason={"text": "Full"}), 200)

    assert cast.gp.read(path)["statusReason"] == {"text": "Full"}
    assert not reads(cast.consultant)
    assert cast.consultant.get("CareTeam/team").status_code == 404


def test_withdrawn_at_the_next_request(referred: tuple[Cast, str, str]) -> None:
    cast, order, path = referred
    expect(changed(cast.consultant, path, status="accepted"), 200)
    assert reads(cast.consultant)

    expect(changed(cast.gp, path, status="cancelled", statusReason={"text": "Moved"}), 200)
    expect(changed(cast.gp, order, status="revoked"), 200)

    assert not reads(cast.consultant)


def test_block_the_owner_changes_only_inside_the_organisation(
    referred: tuple[Cast, str, str],
) -> None:
    cast, _, path = referred
    outside = given.reference(worker("nurse"))
    inside = given.reference(worker("consultant"))

    refused = changed(cast.consultant, path, owner=outside)

    assert refused.status_code == 403
    assert outcome(refused)[0]["expression"] == ["Task"]
    assert changed(cast.consultant, path, owner=inside).status_code == 200


def test_block_nobody_else_takes_it(referred: tuple[Cast, str, str]) -> None:
    cast, order, path = referred
    version = cast.system.read(path)

    for app in (cast.other_gp, cast.social_worker):
        assert app.get(path).status_code == 404
        assert app.get(order).status_code == 404
        taken = app.put(path, version | {"status": "accepted"}, If_Match='W/"1"')
        assert taken.status_code == 404
