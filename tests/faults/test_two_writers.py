"""Two writes meet, the first about to commit: in no order is a change lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from auth.principal import Principal
from ehr.errors import FhirError
from ehr.messages import Document, Interaction, Preconditions, Result
from ehr.pipeline import handle
from ehr.record import Record
from ehr.store import commit
from fhir_profiles import json_format
from tests import given

PRINCIPAL = Principal("tests", "system", "tests")
NOTE = {
    "resourceType": "Basic",
    "id": "note",
    "identifier": [{"system": "urn:n", "value": "1"}],
    "code": {"text": "note"},
}
Act = Callable[[Record], Result]


def _ask(name: str, type: str, body: Any = None, **asked: Any) -> Act:
    def act(record: Record) -> Result:
        document = None
        if body is not None:
            raw = json_format.serialise(body)
            document = Document(raw, json_format.parse(raw))
        interaction = Interaction(name=name, type=type, document=document, **asked)
        return handle(record, PRINCIPAL, interaction)

    return act


CREATE_MARY = _ask("update", "Patient", given.patient(id="mary"), id="mary", method="PUT")
DELETE_MARY = _ask("delete", "Patient", id="mary", method="DELETE")
OBSERVE = _ask("create", "Observation", given.observation("Patient/mary"), method="POST")
CREATE_ANN = _ask("update", "Patient", given.patient(id="ann"), id="ann", method="PUT")
APPOINTMENT = {
    "resourceType": "Appointment",
    "status": "booked",
    "participant": [
        {"status": "accepted", "actor": {"reference": f"Patient/{id}"}} for id in ("mary", "ann")
    ],
}
BOOK = _ask("create", "Appointment", APPOINTMENT, method="POST")
CREATE_NOTE = _ask("update", "Basic", NOTE, id="note", method="PUT")
FILE_NOTE = _ask(
    "update", "Basic", {**NOTE, "subject": {"reference": "Patient/mary"}}, id="note", method="PUT"
)
DELETE_NOTE = _ask("delete", "Basic", id="note", method="DELETE")
CREATE_NOTE_IF_NONE = _ask(
    "create", "Basic", NOTE, preconditions=Preconditions(if_none_exist="identifier=urn:n|1")
)


def _create_if_none(criteria: str, person: Any) -> Act:
    once = Preconditions(if_none_exist=criteria)
    return _ask("create", person["resourceType"], person, method="POST", preconditions=once)


READ_NOTE = _ask("read", "Basic", id="note")


def _patch_note(record: Record) -> Result:
    patch = b'{"created":"2026-11-22"}'
    document = Document(patch, json_format.parse(patch), "application/merge-patch+json")
    asked = Interaction(name="patch", type="Basic", id="note", document=document, method="PATCH")
    return handle(record, PRINCIPAL, asked)


def _status(act: Act, record: Record) -> int:
    try:
        return act(record).status
    except FhirError as error:
        return error.status


@pytest.fixture
def meet(record: Record, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Give what lets others begin while a first write is about to commit; each `waits` for it."""
    inside, go_on = threading.Event(), threading.Event()

    last_step = commit._refuse_orphans

    def pausing(*arguments: Any) -> None:
        last_step(*arguments)
        if not inside.is_set():
            inside.set()
            go_on.wait(20)

    def run(first: Act, *others: Act, waits: bool = True) -> list[int]:
        monkeypatch.setattr(commit, "_refuse_orphans", pausing)
        with ThreadPoolExecutor(3) as pool:
            one = pool.submit(_status, first, record)
            assert inside.wait(20)
            asked = [pool.submit(_status, other, record) for other in others]
            if waits:
                with pytest.raises(TimeoutError):
                    asked[0].result(0.3)
            else:
                wait(asked, 20)
                assert not one.done()
            go_on.set()
            return [one.result(20), *(other.result(20) for other in asked)]

    return run


@pytest.mark.parametrize(
    ("first", "second", "statuses"),
    [(OBSERVE, DELETE_MARY, [201, 409]), (DELETE_MARY, OBSERVE, [204, 422])],
    ids=["filed-first", "deleted-first"],
)
def test_nothing_is_filed_under_a_patient_who_goes(
    record: Record, meet: Any, first: Act, second: Act, statuses: list[int]
) -> None:
    CREATE_MARY(record)

    assert meet(first, second) == statuses


@pytest.mark.parametrize(
    ("first", "second", "statuses"),
    [(BOOK, DELETE_MARY, [201, 409]), (DELETE_MARY, BOOK, [204, 201])],
    ids=["named-first", "deleted-first"],
)
def test_what_is_filed_under_nobody_keeps_a_patient_too(
    record: Record, meet: Any, first: Act, second: Act, statuses: list[int]
) -> None:
    CREATE_MARY(record)
    CREATE_ANN(record)

    assert meet(first, second) == statuses


@pytest.mark.parametrize(
    ("second", "status", "after"),
    [(DELETE_NOTE, 204, 410), (_patch_note, 200, 200)],
    ids=["delete", "patch"],
)
def test_what_is_being_filed_is_not_taken_for_absent(
    record: Record, meet: Any, second: Act, status: int, after: int
) -> None:
    CREATE_MARY(record)
    CREATE_NOTE(record)

    assert meet(FILE_NOTE, second) == [200, status]
    assert _status(READ_NOTE, record) == after


def test_a_conditional_create_does_not_answer_with_what_goes(record: Record, meet: Any) -> None:
    CREATE_NOTE(record)

    assert meet(DELETE_NOTE, CREATE_NOTE_IF_NONE) == [204, 201]


@pytest.mark.parametrize("spelling", ["family:exact=Murray", "name=murray", "given=Mary"])
def test_conditions_that_mean_the_same_take_turns(record: Record, meet: Any, spelling: str) -> None:
    person = given.patient()

    statuses = meet(_create_if_none("family=Murray", person), _create_if_none(spelling, person))

    assert statuses == [201, 200]


def test_conditions_on_other_types_and_on_identifiers_do_not_wait(
    record: Record, meet: Any
) -> None:
    if record.database.dialect != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    first = _create_if_none("family=Murray", given.patient())
    others = [
        _create_if_none("family=Reid", given.practitioner()),
        _create_if_none("identifier=urn:n|1", given.patient()),
    ]

    assert meet(first, *others, waits=False) == [201, 201, 201]
