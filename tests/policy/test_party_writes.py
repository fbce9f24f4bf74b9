"""Patients and carers write what goes between them and others, by the word `party` of the table."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import given
from tests.client import Client

App = Callable[..., Client]
MARY = "Patient/mary"


@pytest.fixture
def mary(people: Client, client_with: App) -> Client:
    """Give Mary's own app."""
    return client_with("patient/*.cruds", patient="mary", person=MARY)


def visit(*actors: str) -> dict[str, Any]:
    """Return an Appointment between some."""
    taking_part = [{"actor": given.reference(one), "status": "needs-action"} for one in actors]
    return {"resourceType": "Appointment", "status": "proposed", "participant": taking_part}


def test_a_patient_asks_for_an_appointment_and_moves_it(mary: Client) -> None:
    made = mary.create(visit(MARY))

    assert mary.update(made | {"status": "cancelled"})["status"] == "cancelled"


def test_a_patient_makes_no_appointment_of_another(mary: Client) -> None:
    assert mary.post("Appointment", visit("Patient/john")).status_code == 403
    assert mary.post("Appointment", visit(MARY, "Patient/john")).status_code == 422


def test_a_patient_answers_a_task_that_names_her(mary: Client, people: Client) -> None:
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "for": given.reference(MARY),
        "owner": given.reference(MARY),
    }
    hers = people.create(task)
    staffs = people.create(task | {"owner": given.reference("Practitioner/ann")})

    version = {"If_Match": 'W/"1"'}
    taken = mary.put(f"Task/{hers['id']}", hers | {"status": "accepted"}, **version)
    refused = mary.put(f"Task/{staffs['id']}", staffs | {"status": "accepted"}, **version)
    assert (taken.status_code, refused.status_code) == (200, 403)
