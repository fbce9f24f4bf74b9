"""Conditional update (R4 §3.1.0.4.3) and the criteria that every conditional change shares."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import given
from tests.client import Client, expect, outcome

CRITERIA = "Patient?identifier=urn:x|7"


def _mary(**more: object) -> given.Resource:
    return given.patient(identifier=[{"system": "urn:x", "value": "7"}], **more)


def test_no_match_creates(client: Client) -> None:
    answer = client.put(CRITERIA, _mary())

    made = expect(answer, 201)
    assert client.read(f"Patient/{made['id']}") == made


def test_no_match_with_an_id_creates_it_there(client: Client) -> None:
    answer = client.put(CRITERIA, _mary(id="mary"))

    assert expect(answer, 201)["id"] == "mary"


def test_no_match_with_an_id_that_is_taken_is_refused(client: Client) -> None:
    client.update(given.patient(id="mary"))

    answer = client.put(CRITERIA, _mary(id="mary"))

    assert answer.status_code == 409, answer.data
    assert client.read("Patient/mary")["meta"]["versionId"] == "1"


def test_one_match_updates(client: Client) -> None:
    made = client.create(_mary())

    answer = client.put(CRITERIA, _mary(family="Reid"))

    assert expect(answer, 200)["id"] == made["id"]
    assert answer.headers["ETag"] == 'W/"2"'


def test_one_match_against_another_id_is_400(client: Client) -> None:
    client.create(_mary())

    answer = client.put(CRITERIA, _mary(id="other"))

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == ["Patient.id"]
    assert client.get("Patient/other").status_code == 404


def test_several_matches_are_412(client: Client) -> None:
    client.create(_mary())
    client.create(_mary())

    assert client.put(CRITERIA, _mary(family="Reid")).status_code == 412
    assert client.read("Patient?family=Reid&_summary=count")["total"] == 0


@pytest.mark.parametrize(
    ("query", "status"), [("", 412), ("?_pretty=true", 412), ("?birthdate=never", 400)]
)
def test_criteria_that_make_no_sense(client: Client, query: str, status: int) -> None:
    assert client.put(f"Patient{query}", _mary()).status_code == status


def test_if_match_counts_too(client: Client) -> None:
    client.create(_mary())

    assert client.put(CRITERIA, _mary(family="A"), If_Match='W/"2"').status_code == 412
    assert client.put(CRITERIA, _mary(family="A"), If_Match='W/"1"').status_code == 200


def test_several_parameters_must_all_match(client: Client) -> None:
    client.create(_mary())

    other = client.put(f"{CRITERIA}&gender=male", _mary(gender="male"))

    assert other.status_code == 201


def test_or_values_and_escapes_are_search(client: Client) -> None:
    client.create(given.patient(identifier=[{"system": "urn:x", "value": "a,b"}]))
    client.create(given.patient(identifier=[{"system": "urn:x", "value": "a|b"}]))

    escaped = client.put("Patient?identifier=urn:x|a%5C,b", given.patient(family="Found"))
    bar = client.post("Patient", given.patient(), If_None_Exist="identifier=urn:x%7Ca%5C%7Cb")

    assert (escaped.status_code, bar.status_code) == (200, 200)


def test_concurrent_conditional_updates_make_one(client: Client) -> None:
    def once(number: int) -> int:
        each = Client(client.flask.application.test_client(), client.token)
        return each.put(CRITERIA, _mary(multipleBirthInteger=number + 1)).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(once, range(16)))

    assert sorted(statuses) == [200] * 15 + [201]
    assert client.read("Patient?_summary=count")["total"] == 1
    assert client.read("Patient/_history?_count=100").get("total", 16) == 16


def test_concurrent_deletes_and_creates_on_one_condition(client: Client) -> None:
    def once(number: int) -> int:
        each = Client(client.flask.application.test_client(), client.token)
        if number % 3 == 0:
            return each.delete(CRITERIA).status_code
        return each.post("Patient", _mary(), If_None_Exist="identifier=urn:x|7").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(once, range(30)))

    assert statuses <= {200, 201, 204}
    assert client.read("Patient?_summary=count")["total"] <= 1
