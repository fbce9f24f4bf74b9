"""Unfiled rows belong to one organisation: another neither sees nor changes them."""

import pytest

from auth.principal import Principal
from ehr.errors import NotFound
from ehr.messages import Document, Interaction
from ehr.pipeline import handle
from ehr.record import Record
from fhir_profiles import json_format
from tests import given

ONE = Principal("system:one", "system", "one", "Organization/one")
OTHER = Principal("system:other", "system", "other", "Organization/other")
APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "a",
    "status": "booked",
    "participant": [{"status": "accepted", "actor": {"reference": "Location/x"}}],
}


def _document(**changes: str) -> Document:
    raw = json_format.serialise(APPOINTMENT | changes)
    return Document(raw, json_format.parse(raw))


def _ask(record: Record, who: Principal, name: str, document: Document | None = None) -> int:
    asked = Interaction(name=name, type="Appointment", id="a", document=document)
    return handle(record, who, asked).status


@pytest.fixture
def appointment(record: Record) -> None:
    assert _ask(record, ONE, "update", _document()) == 201


@pytest.mark.usefixtures("appointment")
@pytest.mark.parametrize("name", ["read", "history-instance"])
def test_another_organisation_does_not_see_it(record: Record, name: str) -> None:
    assert _ask(record, ONE, name) == 200

    with pytest.raises(NotFound):
        _ask(record, OTHER, name)


@pytest.mark.usefixtures("appointment")
def test_another_organisation_can_not_change_it(record: Record) -> None:
    with pytest.raises(NotFound):
        _ask(record, OTHER, "update", _document(status="cancelled"))

    assert _ask(record, OTHER, "delete") == 204
    assert _ask(record, ONE, "read") == 200


@pytest.mark.usefixtures("appointment")
def test_another_organisation_can_not_take_its_id_by_a_condition(record: Record) -> None:
    asked = Interaction(
        name="update", type="Appointment", params=(("identifier", "none"),), document=_document()
    )
    with pytest.raises(NotFound):
        handle(record, OTHER, asked)


@pytest.mark.usefixtures("appointment")
def test_the_same_id_of_another_type_is_not_in_its_way(record: Record) -> None:
    bundle = given.transaction(
        given.entry(method="DELETE", url="Appointment/a"),
        given.entry(given.patient(id="a"), method="PUT"),
    )
    raw = json_format.serialise(bundle)
    document = Document(raw, json_format.parse(raw))
    asked = Interaction(name="transaction", document=document, method="POST")

    assert handle(record, OTHER, asked).status == 200
    assert _ask(record, ONE, "read") == 200
