"""J10: Mary restricts who sees what; the next request obeys, and she takes it back.

Left out: what the page explains, the talk before a whole stop and that the team is told, which are
the portal's and rules of care.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import given
from tests.client import expect, outcome
from tests.policy.house import found
from tests.policy.journeys.people import MARY, Cast, age, worker
from tests.policy.naive.vocabulary import CONSENT_KIND, CONSENT_SCOPE, PARTICIPATION, RESOURCE_TYPES

ITEM = "Condition/diabetes"
COUNTED = "Condition?patient=mary&_summary=count"


def kept_from(name: str) -> dict[str, Any]:
    """Name who is not to see something."""
    return {"role": given.concept("PRCP", PARTICIPATION), "reference": given.reference(name)}


def restriction(**said: Any) -> dict[str, Any]:
    """Describe one choice of Mary's."""
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": given.concept("patient-privacy", CONSENT_SCOPE),
        "category": [given.concept("sharing", CONSENT_KIND)],
        "patient": given.reference(MARY),
        "dateTime": "2024-06-01",
        "policyRule": {"text": "As Mary chose."},
        "provision": {"type": "deny", **said},
    }


PERSON = {"actor": [kept_from(worker("nurse"))]}
PLACE = {"actor": [kept_from("Organization/trust")]}
GROUP = {"class": [{"system": RESOURCE_TYPES, "code": "Condition"}]}
ONE_ITEM = {"data": [{"meaning": "instance", "reference": given.reference(ITEM)}]}
CHOICES: Mapping[str, Mapping[str, Any]] = {
    "a person": PERSON,
    "an organisation": PLACE,
    "a group of data": GROUP,
    "one item": ONE_ITEM,
    "all sharing": {},
}
# Whom of the nurse, her colleague and the GP, who wrote it, each leaves the item to.
LEFT = {
    "a person": (False, True, True),
    "an organisation": (False, False, True),
    "a group of data": (False, False, True),
    "one item": (False, False, True),
    "all sharing": (False, False, True),
}


def who_reads(cast: Cast) -> tuple[bool, ...]:
    """Tell who of the nurse, the coordinator and the GP reads the diagnosis."""
    return tuple(cast.app(name).get(ITEM).status_code == 200 for name in _THREE)


_THREE = ("nurse", "coordinator", "gp")


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"actor": [kept_from("Practitioner/nobody")]}, "actor[0]"),
        ({"actor": [kept_from("Organization/nowhere")]}, "actor[0]"),
        ({"actor": [kept_from("Practitioner/nobody")], "type": "permit"}, "actor[0]"),
        ({"data": [{"meaning": "instance", "reference": {"reference": "Goal/none"}}]}, "data[0]"),
        ({"data": [{"meaning": "instance", "reference": {"reference": "Goal/john-s"}}]}, "data[0]"),
    ],
)
def test_a_slip_of_the_pen_is_told(cast: Cast, said: dict[str, Any], place: str) -> None:
    """Of what is there for others and of what is nowhere alike: else nobody would be kept out."""
    cast.system.put("Goal/john-s", given.goal("Patient/john", id="john-s"))

    answer = cast.mary.post("Consent", restriction(**said))

    assert answer.status_code == 422
    [issue] = outcome(answer)
    assert issue["expression"] == [f"Consent.provision.{place}.reference"]
    assert "There is no" in issue["diagnostics"]


def test_what_was_named_before_may_be_gone(cast: Cast) -> None:
    """A choice is kept in force, and taken back, though somebody has left since."""
    made = cast.system.create(restriction(actor=[kept_from("Practitioner/long-gone")]))

    expect(cast.mary.put(f"Consent/{made['id']}", made | {"dateTime": "2024-07-01"}), 200)


@pytest.mark.parametrize("choice", CHOICES)
def test_the_next_request_obeys_and_it_is_taken_back(cast: Cast, choice: str) -> None:
    assert who_reads(cast) == (True, True, True)

    made = cast.mary.create(restriction(**CHOICES[choice]))

    assert who_reads(cast) == LEFT[choice]
    assert cast.mary.get(ITEM).status_code == 200
    assert ("diabetes" in found(cast.nurse, "Condition?patient=mary")) is LEFT[choice][0]
    path = f"Consent/{made['id']}"
    expect(cast.mary.put(path, made | {"status": "inactive"}, If_Match='W/"1"'), 200)
    assert who_reads(cast) == (True, True, True)


def test_block_who_is_kept_out_is_not_told_what(cast: Cast) -> None:
    made = cast.mary.create(restriction(**PLACE))

    hidden, unknown = cast.nurse.get(ITEM), cast.nurse.get("Condition/none-such")
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.text.replace("diabetes", "none-such") == unknown.text
    assert cast.nurse.get(f"Consent/{made['id']}").status_code == 404
    assert cast.gp.read(COUNTED)["total"] > 0
    assert cast.nurse.read(COUNTED)["total"] == 0


def test_block_safeguarding_stays_with_the_social_worker(cast: Cast) -> None:
    cast.system.update(given.care_team(MARY, worker("social_worker"), id="social"))
    assert cast.social_worker.get("Flag/safeguarding").status_code == 200

    cast.mary.create(restriction())

    assert cast.social_worker.get("Flag/safeguarding").status_code == 200


def test_block_what_a_team_wrote_stays_with_it(cast: Cast) -> None:
    own = cast.nurse.create(given.observation(MARY))

    cast.mary.create(restriction())

    assert cast.nurse.get(f"Observation/{own['id']}").status_code == 200
    assert cast.nurse.get(ITEM).status_code == 404


EVIDENCE = {"sourceAttachment": {"title": "Signed by the child and by the mother"}}
STOP = restriction(
    provision=[{"type": "permit", "class": [{"system": RESOURCE_TYPES, "code": "Goal"}]}]
)


@pytest.mark.parametrize("name", ["mary", "gp"])
@pytest.mark.parametrize(("years", "status"), [(9, 422), (14, 422), (15, 422), (16, 201)])
def test_block_a_child_s_record_is_not_shut_as_a_whole(
    cast: Cast, name: str, years: int, status: int
) -> None:
    """Neither by the child nor by who records for it; nor with an exception beside."""
    age(cast.system, years)
    app = cast.mary if name == "mary" else cast.gp

    for whole in (restriction(), STOP):
        answer = app.post("Consent", whole | EVIDENCE)
        assert answer.status_code == status
        if status == 422:
            assert "before the age of 16" in outcome(answer)[0]["diagnostics"]
            assert outcome(answer)[0]["expression"] == ["Consent.provision"]
    assert (cast.nurse.get(ITEM).status_code == 200) is (status == 422)


def test_block_whether_a_hidden_child_is_there_is_not_told(cast: Cast) -> None:
    """Who may not write the Consent is not told of the age of whose it is."""
    age(cast.system, 9, "Patient/john")

    told = []
    for who in ("john", "nobody-at-all"):
        consent = restriction() | EVIDENCE | {"patient": given.reference(f"Patient/{who}")}
        refused = cast.gp.post("Consent", consent)
        told.append((refused.status_code, outcome(refused)))
    assert told[0] == told[1]
    assert told[0][0] == 403


def test_block_nor_by_a_draft_that_is_put_in_force_nor_in_a_transaction(cast: Cast) -> None:
    age(cast.system, 14)
    draft = cast.mary.create(restriction() | {"status": "draft"})

    path = f"Consent/{draft['id']}"
    active = draft | {"status": "active"}
    assert cast.mary.put(path, active, If_Match='W/"1"').status_code == 422
    patch = [{"op": "replace", "path": "/status", "value": "active"}]
    assert cast.mary.patch(path, patch).status_code == 422
    whole = given.transaction(given.entry(restriction()))
    assert cast.mary.post("", whole).status_code == 422
    assert cast.nurse.get(ITEM).status_code == 200


@pytest.mark.parametrize("choice", ["a person", "an organisation", "a group of data", "one item"])
def test_a_child_still_chooses_by_degrees(cast: Cast, choice: str) -> None:
    age(cast.system, 14)

    cast.mary.create(restriction(**CHOICES[choice]))

    assert who_reads(cast) == LEFT[choice]


def test_a_choice_to_come_with_the_age_is_the_child_s_to_make(cast: Cast) -> None:
    """What begins when the patient is grown shuts nothing before."""
    age(cast.system, 15)
    later = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()

    cast.mary.create(restriction(period={"start": later}))

    assert cast.nurse.get(ITEM).status_code == 200


@pytest.mark.parametrize("name", ["ben", "nurse", "receptionist", "admin"])
def test_block_nobody_chooses_for_her(cast: Cast, name: str) -> None:
    app = cast.ben if name == "ben" else cast.app(name)

    assert app.post("Consent", restriction(**GROUP)).status_code == 403
    assert who_reads(cast)[2]


@pytest.mark.parametrize("system", [None, "http://terminology.hl7.org/CodeSystem/consentscop"])
def test_block_a_choice_that_would_not_be_heard_is_refused(cast: Cast, system: str | None) -> None:
    """A scope without its system was kept as active, and nothing was held back."""
    coding = {"code": "patient-privacy", **({"system": system} if system else {})}
    refused = cast.mary.post("Consent", restriction() | {"scope": {"coding": [coding]}})

    assert refused.status_code == 422
    assert outcome(refused)[0]["expression"] == ["Consent.scope"]
