"""delete (R4 §3.1.0.8): soft, idempotent, conditional; a patient with data stays."""

from typing import Any

import pytest

from tests import given
from tests.client import Client, outcome

IDENTIFIER = [{"system": "urn:x", "value": "7"}]


def test_delete_puts_a_tombstone_on_top(client: Client) -> None:
    path = f"Patient/{client.create(given.patient())['id']}"

    answer = client.delete(path)

    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["ETag"] == 'W/"2"'
    assert client.get(path).status_code == 410
    assert client.get(f"{path}/_history/1").status_code == 200
    assert client.read("Patient?_summary=count")["total"] == 0


def test_deleting_again_changes_nothing(client: Client) -> None:
    path = f"Patient/{client.create(given.patient())['id']}"

    statuses = [client.delete(path).status_code for _ in range(3)]

    assert statuses == [204, 204, 204]
    assert client.read(f"{path}/_history")["total"] == 2


def test_deleting_what_never_was(client: Client) -> None:
    assert client.delete("Patient/nobody").status_code == 204
    assert client.get("Patient/nobody").status_code == 404


def test_if_match_protects(client: Client) -> None:
    path = f"Patient/{client.create(given.patient())['id']}"

    assert client.delete(path, If_Match='W/"9"').status_code == 412
    assert client.get(path).status_code == 200
    assert client.delete(path, If_Match='W/"1"').status_code == 204


def test_a_patient_with_data_stays(client: Client) -> None:
    mary = client.create(given.patient())
    made = client.create(given.observation(mary))

    refused = client.delete(f"Patient/{mary['id']}")

    assert refused.status_code == 409
    assert outcome(refused)[0]["code"] == "business-rule"
    assert client.get(f"Patient/{mary['id']}").status_code == 200
    assert client.delete(f"Observation/{made['id']}").status_code == 204
    assert client.delete(f"Patient/{mary['id']}").status_code == 204


def test_a_patient_and_all_data_go_in_one_transaction(client: Client) -> None:
    mary = client.create(given.patient())
    made = client.create(given.observation(mary))
    paths = [f"Patient/{mary['id']}", f"Observation/{made['id']}"]

    client.transact(given.transaction(*(given.entry(method="DELETE", url=path) for path in paths)))

    assert [client.get(path).status_code for path in paths] == [410, 410]


def _naming(patient: dict[str, Any]) -> list[dict[str, Any]]:
    """Return resources of several patients or of none, which are filed under nobody."""
    other = given.reference("Patient/other")
    mary, booked = given.reference(patient), {"status": "booked"}
    accepted = [{"status": "accepted", "actor": actor} for actor in (mary, other)]
    actual = {"type": "person", "actual": True}
    listed = {"status": "current", "mode": "working", "entry": [{"item": mary}, {"item": other}]}
    return [
        {"resourceType": "Appointment", **booked, "participant": accepted},
        {"resourceType": "Group", **actual, "member": [{"entity": mary}, {"entity": other}]},
        {"resourceType": "List", **listed},
    ]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["Appointment", "Group", "List"])
def test_a_patient_named_with_others_is_kept(client: Client, which: int) -> None:
    client.update(given.patient(id="other"))
    mary = client.create(given.patient())
    sent = _naming(mary)[which]
    made = client.create(sent)
    address = f"{made['resourceType']}/{made['id']}"

    refused = client.delete(f"Patient/{mary['id']}")

    assert refused.status_code == 409
    assert "filed under nobody" in outcome(refused)[0]["diagnostics"]
    assert client.get(f"Patient/{mary['id']}").status_code == 200
    client.delete(address)
    assert client.delete(f"Patient/{mary['id']}").status_code == 204


def test_a_patient_goes_together_with_what_names_others(client: Client) -> None:
    client.update(given.patient(id="other"))
    mary = client.create(given.patient())
    made = client.create(_naming(mary)[0])
    paths = [f"Patient/{mary['id']}", f"Appointment/{made['id']}"]

    client.transact(given.transaction(*(given.entry(method="DELETE", url=path) for path in paths)))

    assert [client.get(path).status_code for path in paths] == [410, 410]


def test_a_patient_whom_only_anothers_record_names_may_go(client: Client) -> None:
    """That record stays as it is, and whole: nothing of the patient's own is lost."""
    ann, mary = client.create(given.patient("Ann")), client.create(given.patient())
    client.create(given.observation(ann, focus=[given.reference(mary)]))

    assert client.delete(f"Patient/{mary['id']}").status_code == 204


def test_nothing_is_filed_under_a_deleted_patient(client: Client) -> None:
    mary = client.create(given.patient())
    client.delete(f"Patient/{mary['id']}")

    assert client.post("Observation", given.observation(mary)).status_code == 422


def test_conditional_delete_of_one(client: Client) -> None:
    one = client.create(given.patient(identifier=IDENTIFIER))
    other = client.create(given.patient())

    assert client.delete("Patient?identifier=urn:x|7").status_code == 204
    assert client.get(f"Patient/{one['id']}").status_code == 410
    assert client.get(f"Patient/{other['id']}").status_code == 200


def test_conditional_delete_of_none(client: Client) -> None:
    assert client.delete("Patient?identifier=urn:x|7").status_code == 204


def test_conditional_delete_of_several_is_412(client: Client) -> None:
    for _ in range(2):
        client.create(given.patient(identifier=IDENTIFIER))

    assert client.delete("Patient?identifier=urn:x|7").status_code == 412
    assert client.read("Patient?_summary=count")["total"] == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 412), ("?_format=json", 412), ("?_count=5", 412), ("?colour=red", 400)],
)
def test_a_condition_must_select(client: Client, query: str, status: int) -> None:
    client.create(given.patient())

    assert client.delete(f"Patient{query}").status_code == status
    assert client.read("Patient?_summary=count")["total"] == 1


class TestMultiple:
    """EHR_CONDITIONAL_DELETE=multiple: up to the limit, all or none."""

    @pytest.fixture
    def record_settings(self) -> dict[str, str]:
        return {"EHR_CONDITIONAL_DELETE": "multiple", "EHR_CONDITIONAL_DELETE_LIMIT": "5"}

    def test_all_matches_go(self, client: Client) -> None:
        for _ in range(5):
            client.create(given.patient(identifier=IDENTIFIER))
        kept = client.create(given.patient())

        assert client.delete("Patient?identifier=urn:x|7").status_code == 204
        found = client.read("Patient?_summary=count")
        assert found["total"] == 1
        assert client.get(f"Patient/{kept['id']}").status_code == 200

    def test_one_with_data_keeps_all(self, client: Client) -> None:
        some = [client.create(given.patient(identifier=IDENTIFIER)) for _ in range(2)]
        client.create(given.observation(some[1]))

        assert client.delete("Patient?identifier=urn:x|7").status_code == 409
        assert client.read("Patient?_summary=count")["total"] == 2

    def test_more_than_the_limit_are_refused(self, client: Client) -> None:
        for _ in range(6):
            client.create(given.patient(identifier=IDENTIFIER))

        assert client.delete("Patient?identifier=urn:x|7").status_code == 412
        assert client.read("Patient?_summary=count")["total"] == 6
