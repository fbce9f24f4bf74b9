"""A patient is deleted while somebody files something under them: one of the two must lose."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from auth.principal import Principal
from ehr.errors import FhirError
from ehr.interactions import changes
from ehr.messages import Document, Interaction
from ehr.pipeline import handle
from ehr.record import Record
from fhir_profiles import json_format
from tests import given

PRINCIPAL = Principal("tests", "system", "tests")
OBSERVATION = given.observation("Patient/mary", code="8867-4", value=72, unit="/min")


def _status(record: Record, name: str, type: str, body: Any = None, **asked: Any) -> int:
    document = None if body is None else Document(json_format.serialise(body), body)
    interaction = Interaction(name=name, type=type, document=document, **asked)
    try:
        return handle(record, PRINCIPAL, interaction).status
    except FhirError as error:
        return error.status


def _delete(record: Record) -> int:
    return _status(record, "delete", "Patient", id="mary", method="DELETE")


def _file(record: Record) -> int:
    return _status(record, "create", "Observation", dict(OBSERVATION), method="POST")


@pytest.mark.parametrize(
    ("first", "second", "statuses"),
    [(_file, _delete, [201, 409]), (_delete, _file, [204, 422])],
    ids=["filed-first", "deleted-first"],
)
def test_nothing_is_filed_under_a_patient_who_goes(
    record: Record, monkeypatch: pytest.MonkeyPatch, first: Any, second: Any, statuses: list[int]
) -> None:
    assert _status(record, "update", "Patient", given.patient(id="mary"), id="mary") == 201
    inside, go_on = threading.Event(), threading.Event()
    link_staged = changes.link_staged

    def pausing(*arguments: Any) -> None:
        """Stop the first write when all its rows are in and nothing is committed."""
        if not inside.is_set():
            inside.set()
            go_on.wait(20)
        link_staged(*arguments)

    monkeypatch.setattr(changes, "link_staged", pausing)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first, record)
        assert inside.wait(20)
        other = pool.submit(second, record)
        with pytest.raises(TimeoutError):
            other.result(0.3)  # waits for the first
        go_on.set()
        assert [one.result(20), other.result(20)] == statuses
