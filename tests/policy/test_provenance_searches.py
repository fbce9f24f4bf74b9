"""Provenance is found by agent, time or entity where its target may be seen, and nowhere else."""

from typing import TYPE_CHECKING

import pytest

from tests import given
from tests.client import Client
from tests.policy.house import SEALED, House, found, open_house

if TYPE_CHECKING:
    from ehr.record import Record

ASKED = (
    "Provenance?_count=100",
    "Provenance?agent=Practitioner/ann",
    "Provenance?agent.identifier=urn:n|ann",
    "Provenance?recorded=2024-05-01",
    "Provenance?entity=Organization/ward",
    "Provenance?_filter=recorded ge 2024-05-01 and agent re Practitioner/ann",
    "Provenance?target={target}",
    "Provenance?target:missing=false",
    "Practitioner?_id=ann&_revinclude=Provenance:agent",
    "Practitioner?_id=ann&_revinclude=*",
)


@pytest.fixture
def house(record: "Record") -> House:
    opened = open_house(record)
    opened.everything.update(given.condition("Patient/mary", id="mary-secret", meta=SEALED))
    for name in ("mary-pulse", "mary-secret", "john-pulse"):
        type = "Condition" if name == "mary-secret" else "Observation"
        opened.everything.update(_about(f"{type}/{name}"))
    return opened


def _about(target: str) -> dict[str, object]:
    return {
        "resourceType": "Provenance",
        "id": f"of-{target.partition('/')[2]}",
        "target": [given.reference(target)],
        "recorded": "2024-05-01T09:15:00Z",
        "agent": [{"who": given.reference("Practitioner/ann")}],
        "entity": [{"role": "source", "what": given.reference("Organization/ward")}],
    }


def _sent(app: Client, asked: str) -> set[str]:
    return {one for one in found(app, asked) if one.startswith("of-")}


@pytest.mark.parametrize("asked", ASKED)
def test_what_somebody_sent_about_another_s_record_is_found_by_nothing(
    house: House, asked: str
) -> None:
    for target, mine in (("Observation/mary-pulse", True), ("Observation/john-pulse", False)):
        one, question = f"of-{target.partition('/')[2]}", asked.format(target=target)
        assert one in _sent(house.everything, question)
        assert (one in _sent(house.gp, question)) == mine
        if not asked.startswith("Practitioner"):  # for which patients may not search
            assert "of-john-pulse" not in _sent(house.mary, question)


def test_what_is_about_a_hidden_resource_is_hidden(house: House) -> None:
    coordinator = house.staff("care-coordinator", "ben", "ward")
    assert coordinator.get("Condition/mary-secret").status_code == 404
    for asked in ASKED:
        question = asked.format(target="Condition/mary-secret")
        assert "of-mary-secret" not in _sent(coordinator, question), question
    assert coordinator.get("Provenance/of-mary-secret").status_code == 404
