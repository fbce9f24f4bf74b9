"""J10: Mary restricts who sees what; the next request obeys, and she takes it back.

Left out: what the page explains, the talk before a whole stop and that the team is told, which are
the portal's and rules of care.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests import given
from tests.client import expect
from tests.policy.house import found
from tests.policy.journeys.people import MARY, Cast, worker
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


@pytest.mark.parametrize("name", ["ben", "nurse", "receptionist", "admin"])
def test_block_nobody_chooses_for_her(cast: Cast, name: str) -> None:
    app = cast.ben if name == "ben" else cast.app(name)

    assert app.post("Consent", restriction(**GROUP)).status_code == 403
    assert who_reads(cast)[2]
