"""Chains into contained resources: asked like any other, found by no search of their own.

FHIR R4 §3.1.1.5.5: "By default, search results only include resources that are not contained in
other resources. A chained condition will be evaluated inside contained resources."
"""

from collections.abc import Callable
from typing import Any

import pytest

from ehr.bulk.checking import deep_check
from ehr.record import Record
from tests import given
from tests.client import Client
from tests.counting import is_of_audit
from tests.spec.test_search import names

MAKER = {
    "resourceType": "Organization",
    "id": "maker",
    "name": "Inner Makers",
    "partOf": {"reference": "Organization/acme"},
}
MEDICINE = {
    "resourceType": "Medication",
    "id": "m1",
    "identifier": [{"system": "urn:batch", "value": "77"}],
    "code": given.concept("abc", display="Special mixture"),
    "manufacturer": {"reference": "#maker"},
}


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none"}


def order(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/mary"},
        "contained": [MEDICINE, MAKER],
        "medicationReference": {"reference": "#m1"},
        **more,
    }


@pytest.fixture
def ordered(client: Client) -> None:
    client.update(given.patient(id="mary"))
    client.update(given.organisation("Acme", id="acme"))
    client.update(order())
    client.update(order(id="plain", contained=[{"resourceType": "Medication", "id": "m1"}]))


def found(client: Client, request: str) -> list[str]:
    return sorted(name.partition("/")[2] for name in names(client.read(request)))


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize(
    ("condition", "orders"),
    [
        ("medication.code=abc", ["order"]),
        ("medication:Medication.code=abc", ["order"]),
        ("patient=mary&medication.code=abc", ["order"]),
        ("patient=mary&medication.code=other", []),
        ("medication.code:text=special", ["order"]),
        ("medication.code:not=abc", ["plain"]),
        ("medication.code:missing=true", ["plain"]),
        ("medication.identifier=urn:batch|77", ["order"]),
        ("medication._content=mixture", ["order"]),
        ("medication._id=m1", ["order", "plain"]),
        ("medication._lastUpdated:missing=true", ["order", "plain"]),
        ("medication._lastUpdated=gt2000", []),
        ("medication.manufacturer.name=inner", ["order"]),
        ("medication.manufacturer.partof.name=acme", ["order"]),
        ("medication.manufacturer.partof=acme", ["order"]),
        ("medication:Medication._has:MedicationRequest:medication:_id=order", ["order"]),
        ("_filter=medication.code eq abc", ["order"]),
        ("_filter=not (medication.code eq abc)", ["plain"]),
        ("_filter=medication[code eq abc or code eq x].manufacturer pr true", ["order"]),
        ("medication:missing=false", ["order", "plain"]),
        ("medication:missing=true", []),
    ],
)
def test_a_chain_is_evaluated_inside(client: Client, condition: str, orders: list[str]) -> None:
    assert found(client, f"MedicationRequest?{condition}") == orders


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize(
    "request_text",
    [
        "Medication?",
        "Medication?code=abc",
        "Medication?identifier=urn:batch|77",
        "Medication?_id=m1",
        "Medication?_content=mixture",
        "Medication?_has:MedicationRequest:medication:status=active",
        "MedicationRequest?medication=m1",
        "MedicationRequest?medication=Medication/m1",
        "Organization?name=inner",
        "Organization?_has:Medication:manufacturer:code=abc",
        "?_type=Medication,Organization&_tag:missing=true&name=inner",
    ],
)
def test_no_search_finds_what_is_inside(client: Client, request_text: str) -> None:
    response = client.get(request_text)

    assert response.status_code in (200, 400)
    assert "entry" not in response.get_json()


@pytest.mark.usefixtures("ordered")
def test_nothing_inside_comes_along(client: Client) -> None:
    """Nor is anything included that only what is inside refers to."""
    for include in ("MedicationRequest:medication", "MedicationRequest:*", "*"):
        bundle = client.read(f"MedicationRequest?_include={include}&_include:iterate=Medication:*")
        assert names(bundle, "include") in ([], ["Patient/mary"]), include
    bundle = client.read("Organization?name=acme&_revinclude=*")
    assert names(bundle, "include") == []
    everything = client.read("Patient/mary/$everything")
    assert sorted(names(everything) + names(everything, "include")) == [
        "MedicationRequest/order",
        "MedicationRequest/plain",
        "Patient/mary",
    ]


def test_a_contained_patient_is_nobody_whose_record_could_be_searched(client: Client) -> None:
    """Rows without a patient lie under one key, so that the key alone says nothing."""
    inner = {"resourceType": "Patient", "id": "p", "name": [{"family": "Inner"}]}
    inside = {"contained": [inner], "subject": {"reference": "#p"}}
    client.update(given.patient(id="mary", family="Outer"))
    client.update(given.observation("Patient/mary", id="outer"))
    client.update(given.observation("Patient/gone", id="inner") | inside)
    client.update(given.observation("Group/x", id="neither"))

    assert found(client, "Observation?subject:Patient.name=inner") == ["inner"]
    assert found(client, "Observation?patient.name=inner,outer") == ["inner", "outer"]
    assert found(client, "Observation?patient:missing=false") == ["inner", "outer"]
    assert found(client, "Patient?_has:Observation:patient:code:missing=false") == ["mary"]


def test_what_is_inside_may_refer_to_what_it_is_in(client: Client) -> None:
    """From inside, "#" is the container (§2.3.0.6)."""
    inner = given.observation("Patient/mary", id="part", hasMember=[{"reference": "#"}])
    outer = given.observation("Patient/mary", id="whole", contained=[inner])
    client.update(given.patient(id="mary"))
    client.update(outer | {"hasMember": [{"reference": "#part"}], "status": "amended"})

    twice = "has-member:Observation.has-member:Observation"
    assert found(client, f"Observation?{twice}.status=amended") == ["whole"]
    assert found(client, f"Observation?{twice}.status=final") == []


@pytest.mark.usefixtures("ordered")
def test_rows_follow_what_is_written(client: Client, record: Record) -> None:
    code = given.concept("xyz")
    client.update(order(contained=[MEDICINE | {"code": code, "manufacturer": {"display": "?"}}]))

    assert found(client, "MedicationRequest?medication.code=abc") == []
    assert found(client, "MedicationRequest?medication.code=xyz") == ["order"]
    assert found(client, "MedicationRequest?medication.manufacturer.name=inner") == []
    client.delete("MedicationRequest/plain")
    assert deep_check.check(record, lambda *_: None).is_sound

    outside = order(medicationReference={"reference": "Medication/m1"})
    del outside["contained"]
    client.update(outside)
    assert found(client, "MedicationRequest?medication._id=m1") == []
    assert deep_check.check(record, lambda *_: None).is_sound


def test_rows_are_filed_with_what_they_are_in(client: Client, record: Record) -> None:
    client.update(order(subject={"reference": "Group/x"}))
    client.update(given.patient(id="mary"))
    client.update(order())

    assert found(client, "MedicationRequest?patient=mary&medication.code=abc") == ["order"]
    assert found(client, "MedicationRequest?medication.manufacturer.name=inner") == ["order"]
    assert deep_check.check(record, lambda *_: None).is_sound


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize(
    ("request_text", "most"),
    [
        ("MedicationRequest?medication.code=abc", 3 + 1),
        ("MedicationRequest?medication.code=none", 3 + 1),
        ("MedicationRequest?medication.manufacturer.name=inner", 3 + 2),
        ("MedicationRequest?medication.manufacturer.partof.name=acme", 3 + 3),
        ("MedicationRequest?medication:Medication._has:MedicationRequest:medication:_id=x", 3 + 2),
    ],
)
def test_what_is_inside_costs_no_hop(
    client: Client, statements: Callable[[], Any], request_text: str, most: int
) -> None:
    client.read(request_text)
    with statements() as seen:
        client.read(request_text)

    asked = [sql for sql in seen if not is_of_audit(sql)]
    assert len(asked) <= most, asked
