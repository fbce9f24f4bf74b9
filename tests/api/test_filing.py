"""Filing: an unfiled resource goes under its patient, once and in full (ehr/README.md)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ehr.bulk.checking import deep_check
from ehr.record import Record
from tests import given
from tests.client import Client

REMOVE_ANN = [{"op": "remove", "path": "/participant/1"}]


@pytest.fixture(autouse=True)
def patients(client: Client) -> None:
    for id in ("mary", "ann"):
        client.update(given.patient(id=id))


def _appointment(id: str = "a", who: tuple[str, ...] = ("mary", "ann"), **more: Any) -> Any:
    participants = [{"actor": {"reference": f"Patient/{one}"}, "status": "accepted"} for one in who]
    head = {"resourceType": "Appointment", "id": id, "status": "booked"}
    return head | {"participant": participants, **more}


def _check(record: Record) -> None:
    report = deep_check.check(record, lambda _steps, _versions: None)
    assert report.is_sound, list(report.faults)


def _named(client: Client, patient: str) -> list[str]:
    found = client.read(f"Appointment?patient={patient}").get("entry", [])
    return sorted(entry["resource"]["id"] for entry in found)


def test_the_patient_is_no_further_one_any_more(client: Client, record: Record) -> None:
    client.update(_appointment())
    assert (_named(client, "mary"), _named(client, "ann")) == (["a"], ["a"])

    assert client.patch("Appointment/a", REMOVE_ANN).status_code == 200

    assert (_named(client, "mary"), _named(client, "ann")) == (["a"], [])
    _check(record)


def test_its_words_go_along_and_old_ones_do_not(client: Client) -> None:
    client.update(_appointment(description="physiotherapy"))

    client.update(_appointment(who=("mary",), description="hydrotherapy"))
    client.update(_appointment("b", description="physiotherapy"))
    assert client.patch("Appointment/b", REMOVE_ANN).status_code == 200

    for word, id in (("hydrotherapy", "a"), ("physiotherapy", "b")):
        for within in ("", "&patient=mary"):
            found = client.read(f"Appointment?_content={word}{within}")["entry"]
            assert [entry["resource"]["id"] for entry in found] == [id]


def test_what_is_kept_of_others_is_kept_once(client: Client, record: Record) -> None:
    """The patient who is left is the owner; another is still named, though not as the owner."""
    client.update(_appointment())

    client.update(
        _appointment(who=("mary",), supportingInformation=[given.reference("Patient/ann")])
    )

    _check(record)
    client.update(_appointment(who=("mary",)))
    _check(record)


@pytest.mark.parametrize(
    "before", [("mary", "ann"), ("ann", "mary"), (), ("mary", "mary", "ann")], ids=str
)
def test_whoever_was_named_before(client: Client, record: Record, before: tuple[str, ...]) -> None:
    places = [{"actor": {"reference": "Location/x"}, "status": "accepted"}]
    appointment = _appointment(who=before)
    client.update(appointment | {"participant": appointment["participant"] + places})

    client.update(_appointment(who=("mary",)))

    assert (_named(client, "mary"), _named(client, "ann")) == (["a"], [])
    _check(record)


def test_changed_before_and_after(client: Client, record: Record) -> None:
    client.update(_appointment())
    client.update(_appointment(comment="1"))
    client.update(_appointment(who=("mary",), comment="2"))
    client.update(_appointment(who=("mary",), comment="3"))

    _check(record)


def test_deleted_and_brought_back(client: Client, record: Record) -> None:
    client.update(_appointment())
    client.update(_appointment(who=("mary",)))
    client.delete("Appointment/a")
    _check(record)

    client.update(_appointment(who=("mary",)))
    _check(record)


def test_deleted_while_unfiled_and_brought_back_filed(client: Client, record: Record) -> None:
    client.update(_appointment())
    client.delete("Appointment/a")
    client.update(_appointment(who=("mary",)))

    assert _named(client, "mary") == ["a"]
    _check(record)


def test_many_in_one_bundle(client: Client, record: Record) -> None:
    ids = [f"a{number}" for number in range(5)]
    for id in ids:
        client.update(_appointment(id))
    entries = [
        given.entry(_appointment(id, who=(("mary", "ann")[number % 2],)), method="PUT")
        for number, id in enumerate(ids)
    ]

    client.transact(given.transaction(*entries))

    assert (_named(client, "mary"), _named(client, "ann")) == (["a0", "a2", "a4"], ["a1", "a3"])
    _check(record)


def test_filed_while_others_change_it(client: Client, record: Record) -> None:
    client.update(_appointment())

    def change(number: int) -> int:
        each = Client(client.flask.application.test_client(), client.token)
        comment = [{"op": "add", "path": "/comment", "value": f"{number}"}]
        return each.patch("Appointment/a", REMOVE_ANN if number == 3 else comment).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(change, range(8)))

    assert statuses == [200] * 8
    assert (_named(client, "mary"), _named(client, "ann")) == (["a"], [])
    _check(record)
