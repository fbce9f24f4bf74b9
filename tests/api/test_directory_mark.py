"""Who callers are is kept while the mark of the directory stays, and no moment longer.

`ehr/store/directory_mark.py`. Two processes share nothing but the database: what one of them wrote
holds for the next request to the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from ehr.app import create_app
from ehr.record import open_record
from tests import given
from tests.client import Client, expect
from tests.policy.staff import emergency, put_ward, staff

if TYPE_CHECKING:
    from ehr.record import Record

HOUR = 3_600_000
PATH = "Observation/pulse"


@pytest.fixture
def other(record: "Record") -> Iterator["Record"]:
    """Give the same record, opened once more as another process has it."""
    opened = open_record(record.settings)
    yield opened
    opened.database.close()


@pytest.fixture
def doctor(client: Client, record: "Record") -> Client:
    """Give a doctor of the hospital, who is known by a team that names the role."""
    put_ward(client)
    client.update(given.observation("Patient/mary", id="pulse"))
    client.update(_team())
    found = staff(record, "hospital-consultant", person="Practitioner/con", organisation="hospital")
    for _ in range(2):  # the second time it is known who asks
        assert found.get(PATH).status_code == 200
    return found


def _team() -> dict[str, Any]:
    return {
        "resourceType": "CareTeam",
        "id": "ward",
        "status": "active",
        "subject": given.reference("Patient/mary"),
        "participant": [{"member": given.reference("PractitionerRole/con-hospital")}],
    }


@pytest.mark.parametrize("change", ["inactive", "deleted", "elsewhere"])
def test_a_role_that_ends_in_another_process_opens_nothing_here(
    doctor: Client, other: "Record", client: Client, change: str
) -> None:
    there = Client(create_app(other).test_client(), client.token)
    role = there.read("PractitionerRole/con-hospital")
    if change == "inactive":
        there.update({**role, "active": False})
    elif change == "elsewhere":
        there.update({**role, "organization": given.reference("Organization/surgery")})
    else:
        there.delete("PractitionerRole/con-hospital")

    assert doctor.get(PATH).status_code == 404


def test_a_role_that_begins_in_another_process_opens_at_once(
    doctor: Client, other: "Record", client: Client
) -> None:
    there = Client(create_app(other).test_client(), client.token)
    role = there.read("PractitionerRole/con-hospital")
    there.update({**role, "active": False})
    assert doctor.get(PATH).status_code == 404
    there.update({**role, "active": True})

    assert doctor.get(PATH).status_code == 200


def test_a_period_that_ends_is_told_by_the_clock_alone(
    doctor: Client, record: "Record", client: Client
) -> None:
    role = client.read("PractitionerRole/con-hospital")
    client.update({**role, "period": {"start": "2020-01-01", "end": "2099-12-31"}})
    assert doctor.get(PATH).status_code == 200
    later = replace(record, clock=lambda: 4_102_444_800_000 + 24 * HOUR)  # 2100-01-02

    assert Client(create_app(later).test_client(), doctor.token).get(PATH).status_code == 404


def test_an_emergency_is_told_of_in_the_next_request_and_ends_by_the_clock(
    client: Client, record: "Record", other: "Record"
) -> None:
    put_ward(client)
    client.update(given.observation("Patient/john", id="theirs"))
    app = staff(record, "urgent-care")
    for _ in range(2):
        assert app.get("Observation/theirs").status_code == 404
    there = Client(create_app(other).test_client(), app.token)
    expect(there.post("Patient/john/$break-glass", emergency()), 201)

    assert app.get("Observation/theirs").status_code == 200
    assert app.get("Observation/theirs").status_code == 200
    later = replace(record, clock=lambda: record.clock() + 4 * HOUR + 1000)
    assert (
        Client(create_app(later).test_client(), app.token).get("Observation/theirs").status_code
        == 404
    )


def test_a_service_that_comes_later_is_a_name_of_who_works_there(
    doctor: Client, client: Client
) -> None:
    role = client.read("PractitionerRole/con-hospital")
    client.update({**role, "healthcareService": [given.reference("HealthcareService/ward-3")]})
    team = client.read("CareTeam/ward")
    named = [{"member": given.reference("PractitionerRole/nobody")}]
    client.update({**team, "participant": named})
    assert doctor.get(PATH).status_code == 404
    client.update({"resourceType": "HealthcareService", "id": "ward-3"})
    referral = {
        "resourceType": "Task", "id": "referral", "status": "accepted", "intent": "order",
        "for": given.reference("Patient/mary"),
        "owner": given.reference("HealthcareService/ward-3"),
    }  # fmt: skip
    client.update(referral)

    assert doctor.get(PATH).status_code == 200


Statements = Callable[[], Any]


def test_who_asks_is_told_by_one_statement_while_nothing_changed(
    doctor: Client, record: "Record", statements: Statements
) -> None:
    with statements() as seen:
        doctor.get(PATH)
    asked = [sql for sql in seen if "access_token" in sql]

    assert len(asked) == 1
    assert "relationship" not in asked[0]


def test_a_record_without_a_mark_is_asked_each_time(
    doctor: Client, record: "Record", client: Client
) -> None:
    """An earlier release wrote it: what it changed since has left no mark."""
    with record.database.read() as connection:
        marked = connection.execute(
            text("SELECT count(*) FROM database_fact WHERE name = 'directory'")
        )
        assert marked.scalar() == 1
    record.database.write(
        lambda connection: connection.execute(
            text("DELETE FROM database_fact WHERE name = 'directory'")
        )
    )

    for _ in range(2):
        assert doctor.get(PATH).status_code == 200
    role = client.read("PractitionerRole/con-hospital")
    client.update({**role, "active": False})
    assert doctor.get(PATH).status_code == 404
