"""A small record of two patients, some of whose resources refer to each other's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import given
from tests.client import Client
from tests.policy.naive.vocabulary import (
    AREAS,
    CONSENT_KIND,
    CONSENT_SCOPE,
    PROXY_ACTION,
    PROXY_AREA,
)

ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
LAB, VITAL = "laboratory", "vital-signs"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def observation(who: str, id: str, category: str = VITAL, **more: Any) -> dict[str, Any]:
    """Describe a measurement of a category."""
    return given.observation(
        f"Patient/{who}", id=id, category=[given.concept(category, CATEGORY)], **more
    )


@pytest.fixture
def people(client: Client, client_of: Callable[..., Client]) -> Client:
    """Store Mary and John, who is Mary's husband, and those who care for both; give a system.

    What is there was entered by their surgery, where Reid works.
    """
    reid = [given.reference("Practitioner/reid")]
    client_of("surgery").update_all(
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
        *proxy_of("mary"),
    )
    return client


def proxy_of(who: str) -> Iterator[dict[str, Any]]:
    """Ben, who may act for a patient in everything."""
    ben = given.reference("RelatedPerson/ben")
    yield {
        "resourceType": "RelatedPerson",
        "id": "ben",
        "patient": given.reference(f"Patient/{who}"),
    }
    yield {
        "resourceType": "Consent",
        "id": "for-ben",
        "status": "active",
        "scope": given.concept("patient-privacy", CONSENT_SCOPE),
        "category": [given.concept("proxy", CONSENT_KIND)],
        "patient": given.reference(f"Patient/{who}"),
        "dateTime": "2024-01-01",
        "policyRule": {"text": "proxy"},
        "performer": [given.reference(f"Patient/{who}")],
        "provision": {
            "type": "permit",
            "actor": [{"role": given.concept("DELEGATEE", ROLE), "reference": ben}],
            "code": [given.concept(area, PROXY_AREA) for area in AREAS],
            "action": [given.concept(action, PROXY_ACTION) for action in ("read", "write")],
        },
    }


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


@pytest.fixture
def unlinted(ran: set[tuple[str, str]]) -> Iterator[None]:
    """Leave the SQL lint out where thousands of statements run: other tests run each kind."""
    before = set(ran)
    yield
    ran.intersection_update(before)
