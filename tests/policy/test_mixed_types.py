"""Rows of several types in one transaction: a rule for one type permits nothing of another.

The social worker of the ward that treats Mary changes Goals, and of Conditions those that are needs
(`auth/README.md`, the table).
"""

from typing import Any

import pytest

from ehr.record import Record
from tests import given
from tests.client import Client
from tests.policy.house import House, open_house

MARY = "Patient/mary"


@pytest.fixture
def house(record: Record) -> House:
    opened = open_house(record)
    opened.everything.update(
        {
            "resourceType": "Goal",
            "id": "mary-goal",
            "lifecycleStatus": "active",
            "description": {"text": "Walk"},
            "subject": given.reference(MARY),
        }
    )
    return opened


def _put(client: Client, name: str, **changed: Any) -> dict[str, Any]:
    request = {"method": "PUT", "url": name, "ifMatch": 'W/"1"'}
    return {"resource": client.read(name) | changed, "request": request}


def _sent(client: Client, *entries: dict[str, Any]) -> int:
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
    return int(client.post("", bundle).status_code)


def test_a_rule_for_one_type_changes_no_row_of_another(house: House) -> None:
    worker = house.staff("social-worker", "ben", "ward")
    goal = _put(house.everything, "Goal/mary-goal", language="en")
    condition = _put(house.everything, "Condition/mary-condition", language="en")

    assert _sent(worker, goal, condition) == 404
    assert _sent(worker, condition) == 404
    assert "language" not in house.everything.read("Condition/mary-condition")
    assert _sent(worker, goal) == 200


def test_a_rule_for_one_type_makes_no_row_of_another(house: House) -> None:
    worker = house.staff("social-worker", "ben", "ward")
    made = [
        {"resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for one in (
            {
                "resourceType": "Goal",
                "lifecycleStatus": "active",
                "description": {"text": "Rest"},
                "subject": given.reference(MARY),
            },
            given.condition(MARY),
        )
    ]

    assert _sent(worker, *made) == 403
    assert _sent(worker, made[1]) == 403
    assert _sent(worker, made[0]) == 200
