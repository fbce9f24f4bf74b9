"""J7: an emergency opens a record for four hours; it is told, reviewed, and never by some.

The 403 that names the option is a 404 (design, section 3). Left out: no export by break-glass, as
there is no export yet. Who finds review, alert and notice, and when the patient does, is in
`test_told_of_openings.py`; that all done meanwhile is told as BTG, in `test_emergency_purpose.py`.
"""

import pytest

from tests import given
from tests.client import expect, outcome
from tests.policy.house import found
from tests.policy.journeys.people import MARY, Cast, worker
from tests.policy.staff import emergency, parameters, told

PATH = f"{MARY}/$break-glass"


def test_opened_told_reviewed_and_closed(cast: Cast) -> None:
    app = cast.other_gp
    assert app.get("Condition/diabetes").status_code == 404
    answer = expect(app.post(PATH, emergency()), 201)
    assert told(answer, "banner")
    assert app.get("Condition/diabetes").status_code == 200
    assert app.get("Condition/sealed").status_code == 200
    assert app.get("Flag/safeguarding").status_code == 404

    review = told(answer, "review")["reference"]
    officer = cast.other_officer  # of the organisation whose GP opened it
    assert officer.read(review)["status"] == "requested"
    assert officer.get("Condition/diabetes").status_code == 403
    code = {"system": "https://shared-care-record.example.org/fhir/CodeSystem/review-outcome",
            "code": "not-justified"}  # fmt: skip
    closed = parameters(outcome=("Coding", code), text=("String", "No emergency was found."))
    expect(officer.post(f"{review}/$review", closed), 200)
    assert app.get("Condition/diabetes").status_code == 404


def test_it_opens_nothing_to_a_colleague(cast: Cast) -> None:
    expect(cast.other_gp.post(PATH, emergency()), 201)

    assert cast.consultant.get("Condition/diabetes").status_code == 404


@pytest.mark.parametrize(
    "name", ["admin", "analyst", "third_sector", "receptionist", "officer", "coordinator"]
)
def test_block_who_never_may(cast: Cast, name: str) -> None:
    answer = cast.app(name).post(PATH, emergency())

    assert answer.status_code == 403
    assert outcome(answer)[0]["code"] == "forbidden"


def test_block_a_named_person_never(cast: Cast) -> None:
    role = given.concept("PRCP", "http://terminology.hl7.org/CodeSystem/v3-ParticipationType")
    kept_out = {"role": role, "reference": given.reference(worker("other_gp"))}
    cast.system.create(
        {
            "resourceType": "Consent",
            "status": "active",
            "scope": given.concept(
                "patient-privacy", "http://terminology.hl7.org/CodeSystem/consentscope"
            ),
            "category": [given.concept("59284-0", given.LOINC)],
            "patient": given.reference(MARY),
            "dateTime": "2026-01-01",
            "policyRule": {"text": "As Mary chose."},
            "provision": {"type": "permit", "provision": [{"type": "deny", "actor": [kept_out]}]},
        }
    )

    assert cast.other_gp.post(PATH, emergency()).status_code == 404
    assert found(cast.other_gp, "Condition?patient=mary") == set()


def test_block_a_second_time_warns(cast: Cast) -> None:
    first = expect(cast.other_gp.post(PATH, emergency()), 201)
    again = expect(cast.other_gp.post(PATH, emergency()), 201)

    assert told(first, "warning") is None
    assert "before, 1 time." in told(again, "warning")
