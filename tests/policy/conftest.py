"""A small record of two patients, some of whose resources refer to each other's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import given
from tests.client import Client

LAB, VITAL = "laboratory", "vital-signs"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def observation(who: str, id: str, category: str = VITAL, **more: Any) -> dict[str, Any]:
    """Describe a measurement of a category."""
    return given.observation(
        f"Patient/{who}", id=id, category=[given.concept(category, CATEGORY)], **more
    )


@pytest.fixture
def people(client: Client) -> Client:
    """Store Mary and John, who is Mary's husband, and those who care for both; give a system."""
    reid = [given.reference("Practitioner/reid")]
    client.update_all(
        {"resourceType": "Organization", "id": "surgery", "name": "Surgery"},
        given.practitioner(id="reid", identifier=[{"system": "urn:n", "value": "reid"}]),
        *(
            given.patient(
                name,
                "Murray",
                id=who,
                identifier=[{"system": "urn:n", "value": who}],
                generalPractitioner=reid,
            )
            for who, name in (("mary", "Mary"), ("john", "John"))
        ),
        *_of("mary", "john"),
        *_of("john", "mary"),
    )
    return client


def _of(who: str, other: str) -> Iterator[dict[str, Any]]:
    reid = given.reference("Practitioner/reid")
    yield observation(who, f"{who}-vital", performer=[reid])
    yield observation(who, f"{who}-lab", LAB, value=5, code="2951-2")
    # About one of them, with the other in it.
    yield observation(who, f"{who}-focus", focus=[given.reference(f"Patient/{other}")])
    yield given.condition(f"Patient/{who}", id=f"{who}-condition")
    yield given.encounter(f"Patient/{who}", id=f"{who}-visit")
    yield {
        "resourceType": "Provenance",
        "id": f"{who}-provenance",
        "target": [
            given.reference(f"Patient/{who}"),
            given.reference(f"Observation/{who}-vital"),
        ],
        "recorded": "2024-05-01T09:15:00Z",
        "agent": [{"who": reid}],
    }


@pytest.fixture
def mary(people: Client, client_with: Callable[..., Client]) -> Callable[..., Client]:
    """Give what makes apps in which Mary is in context: her own, unless another kind is named."""

    def make(scope: str, **granted: Any) -> Client:
        return client_with(scope, patient="mary", **granted)

    return make
