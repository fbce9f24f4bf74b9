"""The builders and the demo people are valid R4: a test that uses them fails for its own reason."""

import json
from decimal import Decimal

import pytest

from ehr.demo import bundles
from fhir_profiles.validator import validate
from tests import client, given

MARY = {**given.patient("Mary"), "id": "mary"}
EACH = [
    MARY,
    given.practitioner(),
    given.organisation(),
    given.encounter(MARY),
    given.observation(MARY, value="72.50"),
    given.condition(MARY),
    given.goal(MARY),
    given.care_plan(MARY),
    given.care_team(MARY, "Practitioner/anna"),
    given.binary(),
    given.transaction(
        given.entry(MARY, method="PUT", full_url=given.urn()), given.observation("Patient/mary")
    ),
    given.batch(given.entry(method="DELETE", url="Patient/mary")),
]


@pytest.mark.parametrize("resource", EACH, ids=lambda resource: resource["resourceType"])
def test_a_builder_makes_a_valid_resource(resource: given.Resource) -> None:
    assert validate(resource) == []


@pytest.mark.parametrize(("name", "bundle"), list(bundles()), ids=[name for name, _ in bundles()])
def test_the_demo_people_are_valid(name: str, bundle: bytes) -> None:
    assert validate(json.loads(bundle, parse_float=Decimal)) == []


def test_decimals_are_sent_as_they_stand() -> None:
    assert (
        client.to_json({"value": Decimal("72.50"), "text": "é"}) == '{"value": 72.50, "text": "é"}'
    )
