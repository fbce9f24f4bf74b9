"""read (R4 §3.1.0.1): the newest version as it was sent; absent, deleted and unchanged ones."""

from decimal import Decimal

import pytest

from tests import given
from tests.client import Client, expect, outcome


def test_read_gives_what_was_created(client: Client) -> None:
    made = client.create(given.patient(birthDate="1950-03-02"))

    answer = client.get(f"Patient/{made['id']}")

    assert expect(answer, 200) == made
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Last-Modified"].endswith("GMT")


def test_the_bytes_of_a_resource_are_kept(client: Client) -> None:
    mary = client.create(given.patient())
    head = f'{{"resourceType":"Observation","subject":{{"reference":"Patient/{mary["id"]}"}},'
    tail = (
        '"valueQuantity":{"value":1.0e-3 ,"unit":"\\u00b5g"},"status":"final","code":{"text":"Öl"},'
        '"component":[{"code":{"text":"x"},"valueQuantity":{"value":0.500}}]}'
    )

    made = expect(client.post("Observation", head + tail), 201)

    text = client.get(f"Observation/{made['id']}").get_data(as_text=True)
    assert text.endswith(tail)
    assert made["component"][0]["valueQuantity"]["value"] == Decimal("0.500")


def test_head_has_the_headers_and_no_body(client: Client) -> None:
    path = f"Patient/{client.create(given.patient())['id']}"

    head, whole = client.request("HEAD", path), client.get(path)

    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize(
    "path", ["Patient/none", "Patient/" + "x" * 65, "Patient/a_b", "Patient/%C3%A4"]
)
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_id_belongs_to_its_type_and_its_case(client: Client) -> None:
    client.update(given.patient(id="Mary-1"))

    assert client.get("Patient/Mary-1").status_code == 200
    assert client.get("Patient/mary-1").status_code == 404
    assert client.get("Practitioner/Mary-1").status_code == 404


def test_a_deleted_one_is_410_with_its_version(client: Client) -> None:
    path = f"Patient/{client.create(given.patient())['id']}"
    client.delete(path)

    answer = client.get(path)

    assert answer.status_code == 410
    assert answer.headers["ETag"] == 'W/"2"'
    assert outcome(answer)[0]["code"] == "deleted"


def test_the_caller_who_has_it_gets_304(client: Client) -> None:
    made = client.post("Patient", given.patient())
    path = f"Patient/{expect(made, 201)['id']}"

    assert client.get(path, If_None_Match='W/"1"').status_code == 304
    assert client.get(path, If_None_Match='W/"7", W/"1"').status_code == 304
    assert client.get(path, If_None_Match='W/"2"').status_code == 200
    assert client.get(path, If_Modified_Since=made.headers["Last-Modified"]).status_code == 304
    assert client.get(path, If_Modified_Since="Sat, 01 Jan 2000 00:00:00 GMT").status_code == 200
    assert client.get(path, If_Modified_Since="nonsense").status_code == 200


def test_server_values_win_over_sent_meta(client: Client) -> None:
    meta = {
        "versionId": "99",
        "lastUpdated": "2001-01-01T00:00:00Z",
        "tag": [{"system": "urn:x", "code": "kept"}],
    }

    made = client.create(given.patient(id="chosen", meta=meta))

    assert made["id"] != "chosen"
    assert made["meta"]["versionId"] == "1"
    assert not made["meta"]["lastUpdated"].startswith("2001")
    assert made["meta"]["tag"] == meta["tag"]
