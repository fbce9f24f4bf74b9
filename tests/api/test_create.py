"""create (R4 §3.1.0.8): fresh id, version 1, and nothing where the resource is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import given
from tests.client import Client, expect, outcome

SYSTEM = "urn:example:ids"


def _identified(value: str = "1", **more: object) -> given.Resource:
    return given.patient(identifier=[{"system": SYSTEM, "value": value}], **more)


def test_create_answers_with_the_place(client: Client) -> None:
    answer = client.post("Patient", given.patient())

    made = expect(answer, 201)
    place = answer.headers["Location"]
    assert place.endswith(f"/fhir/Patient/{made['id']}/_history/1")
    assert answer.headers["ETag"] == 'W/"1"'


def test_ids_differ_and_come_in_time_order(client: Client) -> None:
    ids = [client.create(given.patient())["id"] for _ in range(3)]

    assert len(set(ids)) == 3
    assert [one[:8] for one in ids] == sorted(one[:8] for one in ids)


def test_another_type_than_the_address_is_refused(client: Client) -> None:
    answer = client.post("Observation", given.patient())

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == ["Observation.resourceType"]


def test_every_fault_of_the_body_is_told(client: Client) -> None:
    broken = {"resourceType": "Patient", "gender": "F", "birthDate": "1950-02-30", "colour": "red"}

    answer = client.post("Patient", broken)

    assert answer.status_code == 400
    assert len(outcome(answer)) >= 3
    assert client.read("Patient?_summary=count")["total"] == 0


def test_if_none_exist_creates_once(client: Client) -> None:
    criteria = f"identifier={SYSTEM}|1"

    first = client.post("Patient", _identified(), If_None_Exist=criteria)
    again = client.post("Patient", _identified(family="Other"), If_None_Exist=criteria)

    assert (first.status_code, again.status_code) == (201, 200)
    assert expect(again, 200) == expect(first, 201)
    assert again.headers["ETag"] == 'W/"1"'
    assert client.read("Patient?_summary=count")["total"] == 1


def test_if_none_exist_on_several_is_412(client: Client) -> None:
    client.create(_identified())
    client.create(_identified())

    answer = client.post("Patient", _identified(), If_None_Exist=f"identifier={SYSTEM}|1")

    assert answer.status_code == 412
    assert client.read("Patient?_summary=count")["total"] == 2


def test_if_none_exist_by_other_parameters(client: Client) -> None:
    criteria = "family=Murray&birthdate=1950-03-02"

    first = client.post("Patient", given.patient(), If_None_Exist=criteria)
    again = client.post("Patient", given.patient(), If_None_Exist=criteria)

    assert (first.status_code, again.status_code) == (201, 200)


def test_a_deleted_match_does_not_count(client: Client) -> None:
    old = client.create(_identified())
    client.delete(f"Patient/{old['id']}")

    answer = client.post("Patient", _identified(), If_None_Exist=f"identifier={SYSTEM}|1")

    assert expect(answer, 201)["id"] != old["id"]


@pytest.mark.parametrize(
    ("criteria", "status"),
    [("_format=json", 412), ("colour=red", 400), ("birthdate=yesterday", 400), ("", 400)],
    ids=["selects all", "unknown parameter", "bad value", "empty"],
)
def test_a_condition_that_makes_no_sense(client: Client, criteria: str, status: int) -> None:
    answer = client.post("Patient", given.patient(), If_None_Exist=criteria)

    assert answer.status_code == status
    assert client.read("Patient?_summary=count")["total"] == 0


def test_the_value_is_compared_with_its_system(client: Client) -> None:
    client.create(_identified("1"))

    other = client.post("Patient", _identified(), If_None_Exist="identifier=urn:other|1")
    upper = client.post("Patient", _identified(), If_None_Exist="identifier=|1")
    any_system = client.post("Patient", _identified(), If_None_Exist="identifier=2")

    assert [other.status_code, upper.status_code, any_system.status_code] == [201, 201, 201]


def test_concurrent_conditional_creates_make_one(client: Client) -> None:
    def once(_: int) -> int:
        each = Client(client.flask.application.test_client(), client.token)
        return each.post(
            "Patient", _identified(), If_None_Exist=f"identifier={SYSTEM}|1"
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(once, range(16)))

    assert sorted(statuses) == [200] * 15 + [201]
    assert client.read("Patient?_summary=count")["total"] == 1
