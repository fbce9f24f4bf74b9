"""update (R4 §3.1.0.4): new versions, update as create, preconditions, and who owns a row."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests import given
from tests.client import Client, expect, outcome

if TYPE_CHECKING:
    from ehr.record import Record


def test_put_makes_the_next_version(client: Client) -> None:
    made = client.create(given.patient())

    answer = client.put(f"Patient/{made['id']}", made | {"gender": "other"})

    assert expect(answer, 200)["meta"]["versionId"] == "2"
    assert answer.headers["ETag"] == 'W/"2"'
    assert answer.headers["Location"].endswith("/_history/2")


def test_put_to_an_unused_id_creates_it(client: Client) -> None:
    answer = client.put("Patient/mary", given.patient(id="mary"))

    assert expect(answer, 201)["id"] == "mary"
    assert answer.headers["Location"].endswith("/fhir/Patient/mary/_history/1")
    assert client.read("Patient/mary")["meta"]["versionId"] == "1"


class TestWithoutClientIds:
    """EHR_UPDATE_CREATE=off: ids are the server's."""

    @pytest.fixture
    def record_settings(self) -> dict[str, str]:
        return {"EHR_UPDATE_CREATE": "off"}

    def test_put_to_an_unused_id_is_405(self, client: Client) -> None:
        answer = client.put("Patient/mary", given.patient(id="mary"))

        assert answer.status_code == 405
        assert client.get("Patient/mary").status_code == 404

    def test_in_a_transaction_too(self, client: Client) -> None:
        entry = given.entry(given.patient(id="mary"), method="PUT")

        assert client.post("", given.transaction(entry)).status_code == 405

    def test_conditional_update_without_id_creates(self, client: Client) -> None:
        answer = client.put("Patient?identifier=urn:x|1", given.patient())

        assert expect(answer, 201)["id"]

    def test_a_deleted_one_may_come_back(self, client: Client) -> None:
        made = client.create(given.patient())
        client.delete(f"Patient/{made['id']}")

        assert client.put(f"Patient/{made['id']}", made).status_code == 201


def test_identical_content_makes_no_version(client: Client) -> None:
    made = client.create(given.patient())

    again = client.put(f"Patient/{made['id']}", made)

    assert expect(again, 200) == made
    assert client.read(f"Patient/{made['id']}/_history")["total"] == 1


def test_put_on_a_deleted_id_continues_its_versions(client: Client) -> None:
    mary = given.patient(id="mary")
    client.update(mary)
    client.delete("Patient/mary")

    back = client.put("Patient/mary", mary)

    assert expect(back, 201)["meta"]["versionId"] == "3"
    assert client.read("Patient/mary")["meta"]["versionId"] == "3"
    assert client.read("Patient?_id=mary&_summary=count")["total"] == 1
    assert client.get("Patient/mary/_history/2").status_code == 410


@pytest.mark.parametrize(
    ("tag", "status"),
    [('W/"1"', 200), ('"1"', 200), ('W/"2"', 412), ("*", 200), ('W/"7", W/"1"', 200), ("W/1", 400)],
)
def test_if_match(client: Client, tag: str, status: int) -> None:
    client.update(given.patient(id="mary"))

    answer = client.put("Patient/mary", given.patient(id="mary", gender="male"), If_Match=tag)

    assert answer.status_code == status


def test_if_match_on_what_is_not_there_is_412(client: Client) -> None:
    for tag in ('W/"1"', "*"):
        assert client.put("Patient/x", given.patient(id="x"), If_Match=tag).status_code == 412
    assert client.get("Patient/x").status_code == 404


def test_if_none_match_star_creates_only(client: Client) -> None:
    mary = given.patient(id="mary")

    first = client.put("Patient/mary", mary, If_None_Match="*")
    second = client.put("Patient/mary", mary | {"gender": "male"}, If_None_Match="*")

    assert (first.status_code, second.status_code) == (201, 412)
    client.delete("Patient/mary")
    assert client.put("Patient/mary", mary, If_None_Match="*").status_code == 201


@pytest.mark.parametrize("body", [{"id": "anna"}, {}], ids=["another id", "no id"])
def test_the_body_must_carry_the_id_of_the_address(client: Client, body: dict[str, str]) -> None:
    answer = client.put("Patient/mary", given.patient(**body))

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == ["Patient.id"]


def test_a_resource_can_not_move_to_another_patient(client: Client) -> None:
    mary, anna = client.create(given.patient()), client.create(given.patient("Anna"))
    made = client.create(given.observation(mary))

    answer = client.put(f"Observation/{made['id']}", given.observation(anna, id=made["id"]))

    assert answer.status_code == 422
    assert outcome(answer)[0]["expression"] == ["Observation.subject"]
    assert client.read(f"Observation/{made['id']}") == made


def test_nor_after_it_was_deleted(client: Client) -> None:
    mary, anna = client.create(given.patient()), client.create(given.patient("Anna"))
    made = client.create(given.observation(mary))
    client.delete(f"Observation/{made['id']}")

    back = client.put(f"Observation/{made['id']}", given.observation(anna, id=made["id"]))

    assert back.status_code == 422


def _unfiled(**more: object) -> given.Resource:
    return {"resourceType": "List", "status": "current", "mode": "working", **more}


def test_an_unfiled_resource_is_filed_once(client: Client, record: "Record") -> None:
    mary, anna = client.create(given.patient()), client.create(given.patient("Anna"))
    made = client.create(_unfiled(title="found on a desk"))
    keys = [_key(record, made["id"])]

    for who, status in ((mary, 200), (anna, 422)):
        sent = made | {"subject": given.reference(who)}
        assert client.put(f"List/{made['id']}", sent).status_code == status
        keys.append(_key(record, made["id"]))

    assert keys[0] < 0 < keys[1] == keys[2]
    assert client.read(f"List/{made['id']}/_history")["total"] == 2
    assert client.read(f"List?subject=Patient/{mary['id']}")["total"] == 1
    assert client.read("List?title=found%20on%20a%20desk&_summary=count")["total"] == 1


def test_filing_takes_references_along(client: Client) -> None:
    mary = client.create(given.patient())
    folder = client.create(_unfiled(identifier=[{"system": "urn:x", "value": "7"}]))
    other = client.create(_unfiled(entry=[{"item": given.reference(folder)}]))

    client.update(folder | {"subject": given.reference(mary)})

    holding = client.read(f"List?item=List/{folder['id']}")
    assert [entry["resource"]["id"] for entry in holding["entry"]] == [other["id"]]
    found = client.read("List?identifier=urn:x|7")
    assert [entry["resource"]["id"] for entry in found["entry"]] == [folder["id"]]
    assert client.put("List?identifier=urn:x|7", _unfiled()).status_code in (200, 422)


def test_concurrent_updates_lose_nothing(client: Client) -> None:
    client.update(given.patient(id="mary"))

    def change(number: int) -> bool:
        each = Client(client.flask.application.test_client(), client.token)
        now = each.get("Patient/mary")
        body = expect(now, 200) | {"multipleBirthInteger": number}
        answer = each.put("Patient/mary", body, If_Match=now.headers["ETag"])
        assert answer.status_code in (200, 412), answer.data
        return answer.status_code == 200

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(change, range(1, 25)))

    assert client.read("Patient/mary/_history?_count=100")["total"] == 1 + done


def _key(record: "Record", id: str) -> int:
    with record.database.read() as connection:
        key: int = connection.execute(
            text("SELECT patient_key FROM locator WHERE id = :id"), {"id": id}
        ).scalar_one()
    return key


OLD = "Sun, 22 Nov 2020 09:40:50 GMT"


@pytest.mark.parametrize("path", ["Patient/mary", "Patient?_id=mary"])
def test_a_change_since_then_is_not_overwritten(client: Client, path: str) -> None:
    made = client.put("Patient/mary", given.patient(id="mary"))
    now = made.headers["Last-Modified"]
    changed = given.patient(id="mary", gender="other")

    assert client.put(path, changed, If_Unmodified_Since=OLD).status_code == 412
    assert client.delete(path, If_Unmodified_Since=OLD).status_code == 412
    patch = [{"op": "add", "path": "/active", "value": True}]
    assert client.patch(path, patch, If_Unmodified_Since=OLD).status_code == 412
    assert client.read("Patient/mary")["meta"]["versionId"] == "1"
    assert client.put(path, changed, If_Unmodified_Since=now).status_code == 200


def test_if_match_says_more_than_a_date(client: Client) -> None:
    client.update(given.patient(id="mary"))

    both = {"If-Match": 'W/"1"', "If-Unmodified-Since": OLD}
    answer = client.request("PUT", "Patient/mary", given.patient(id="mary"), headers=both)

    assert answer.status_code == 200


def test_dates_that_say_nothing_about_an_update(client: Client) -> None:
    new = client.put("Patient/new", given.patient(id="new"), If_Unmodified_Since=OLD)
    no_date = client.put("Patient/new", given.patient(id="new"), If_Unmodified_Since="yesterday")

    assert (new.status_code, no_date.status_code) == (201, 200)


def test_a_read_of_what_has_changed_since_is_refused(client: Client) -> None:
    client.update(given.patient(id="mary"))

    assert client.get("Patient/mary", If_Unmodified_Since=OLD).status_code == 412


def test_raw_content_is_not_written_over_a_change(client: Client) -> None:
    client.request("PUT", "Binary/scan", b"one", content_type="image/png")

    old = {"If-Unmodified-Since": OLD}
    late = client.request("PUT", "Binary/scan", b"two", content_type="image/png", headers=old)

    assert late.status_code == 412
