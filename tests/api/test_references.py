"""EHR_REFERENCES: which references must lead somewhere, and how dangling ones are adopted."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests import given
from tests.client import Client, outcome

if TYPE_CHECKING:
    from ehr.record import Record


class TestSubject:
    """The default: the subject is a patient of this record, other references may dangle."""

    @pytest.mark.parametrize(
        "who", ["Patient/nobody", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"]
    )
    def test_the_subject_must_exist(self, client: Client, who: str) -> None:
        answer = client.post("Observation", given.observation(who))

        assert answer.status_code == 422
        assert outcome(answer)[0]["expression"] == ["Observation.subject"]

    def test_in_a_bundle_the_entry_is_named(self, client: Client) -> None:
        mary = client.create(given.patient())
        some = [given.observation(mary), given.observation("Patient/nobody")]

        answer = client.post("", given.transaction(*some))

        assert answer.status_code == 422
        assert outcome(answer)[0]["expression"] == ["Bundle.entry[1].resource.subject"]

    def test_in_a_bundle_the_entry_that_would_move_is_named(self, client: Client) -> None:
        mary, anna = client.create(given.patient()), client.create(given.patient())
        client.update(given.observation(mary, id="o"))
        moved = given.entry(given.observation(anna, id="o"), method="PUT")

        answer = client.post("", given.transaction(given.observation(mary), moved))

        assert answer.status_code == 422
        assert outcome(answer)[0]["expression"] == ["Bundle.entry[1].resource.subject"]

    def test_in_a_bundle_the_deletion_that_is_refused_is_named(self, client: Client) -> None:
        client.update(given.patient(id="mary"))
        client.create(given.observation("Patient/mary"))
        gone = given.entry(method="DELETE", url="Patient/mary")

        answer = client.post("", given.transaction(given.patient(), gone))

        assert answer.status_code == 409
        assert outcome(answer)[0]["expression"] == ["Bundle.entry[1]"]

    def test_others_may_dangle(self, client: Client) -> None:
        mary = client.create(given.patient())

        made = client.create(
            given.observation(mary, performer=[given.reference("Practitioner/later")])
        )
        client.update(given.practitioner(id="later"))

        found = client.read("Observation?performer=Practitioner/later")["entry"]
        assert [entry["resource"]["id"] for entry in found] == [made["id"]]

    def test_a_subject_elsewhere_is_unfiled(self, client: Client, record: "Record") -> None:
        made = client.create(given.observation("https://other.example.org/fhir/Patient/1"))

        assert _key(record, "Observation", made["id"]) < 0

    def test_a_subject_that_is_a_group_is_unfiled(self, client: Client, record: "Record") -> None:
        made = client.create(given.observation("Group/g"))

        assert _key(record, "Observation", made["id"]) < 0

    def test_shared_types_have_key_zero(self, client: Client, record: "Record") -> None:
        made = client.create(given.organisation())

        assert _key(record, "Organization", made["id"]) == 0


class TestAll:
    """Every local reference must lead to what is there when the transaction ends."""

    @pytest.fixture
    def record_settings(self) -> dict[str, str]:
        return {"EHR_REFERENCES": "all"}

    def test_each_missing_target_is_told(self, client: Client) -> None:
        mary = client.create(given.patient())
        sent = given.observation(
            mary,
            performer=[given.reference("Practitioner/x"), given.reference("Organization/y")],
        )

        answer = client.post("Observation", sent)

        assert answer.status_code == 422
        where = [issue["expression"] for issue in outcome(answer)]
        assert where == [["Observation.performer[0]"], ["Observation.performer[1]"]]

    def test_in_a_bundle_the_entries_are_named(self, client: Client) -> None:
        mary = client.create(given.patient())
        sent = given.observation(mary, performer=[given.reference("Practitioner/x")])

        answer = client.post("", given.transaction(given.patient(), sent))

        assert outcome(answer)[0]["expression"] == ["Bundle.entry[1].resource.performer[0]"]

    def test_references_of_contained_resources_count(self, client: Client) -> None:
        mary = client.create(given.patient())
        inner = {
            "resourceType": "PractitionerRole",
            "id": "role",
            "practitioner": given.reference("Practitioner/x"),
        }
        sent = given.observation(mary, performer=[given.reference("#role")], contained=[inner])

        answer = client.post("Observation", sent)

        assert answer.status_code == 422
        assert outcome(answer)[0]["expression"] == ["Observation.contained[0].practitioner"]
        client.update(given.practitioner(id="x"))
        client.create(sent)

    @pytest.mark.parametrize("version", ["9", "0", "x", "99999999999"])
    def test_the_version_that_is_named_must_exist(self, client: Client, version: str) -> None:
        client.update(given.patient(id="mary"))
        of_version = given.reference(f"Patient/mary/_history/{version}")

        answer = client.post(
            "CarePlan", given.care_plan("Patient/mary", supportingInfo=[of_version])
        )

        assert answer.status_code == 422
        assert outcome(answer)[0]["expression"] == ["CarePlan.supportingInfo[0]"]
        assert f"Patient/mary/_history/{version}" in outcome(answer)[0]["diagnostics"]

    def test_a_version_may_be_named_after_others_came(self, client: Client) -> None:
        client.update(given.patient(id="mary"))
        client.update(given.practitioner(id="x"))
        client.update(given.practitioner("Other", id="x"))
        client.delete("Practitioner/x")

        for version, status in (1, 201), (2, 201), (3, 422), (4, 422):
            who = given.reference(f"Practitioner/x/_history/{version}")
            answer = client.post("Observation", given.observation("Patient/mary", performer=[who]))
            assert answer.status_code == status, version

    def test_a_version_may_be_that_of_the_same_bundle(self, client: Client) -> None:
        client.update(given.patient(id="mary"))
        client.update(given.practitioner(id="x"))
        for version, status in (1, 200), (3, 200), (9, 422):  # each success makes one more
            who = given.reference(f"Practitioner/x/_history/{version}")
            sent = given.observation("Patient/mary", performer=[who])
            changed = given.practitioner(f"Other {version}", id="x")

            answer = client.post("", given.transaction(sent, given.entry(changed, method="PUT")))

            assert answer.status_code == status, version

    def test_versions_cost_one_statement_however_many(
        self, client: Client, statements: Callable[[], Any]
    ) -> None:
        client.update(given.patient(id="mary"))
        for n in range(3):
            client.update(given.practitioner(id=f"x{n}"))

        def cost(number: int, version: str) -> int:
            some = [given.reference(f"Practitioner/x{n}{version}") for n in range(number)]
            with statements() as seen:
                client.create(given.observation("Patient/mary", performer=some))
            return len(seen)

        cost(1, "")  # numbers are in hand from here on
        assert cost(1, "/_history/1") == cost(3, "/_history/1") == cost(3, "") + 1

    def test_the_end_of_the_transaction_counts(self, client: Client) -> None:
        mary = client.create(given.patient())
        sent = given.observation(mary, performer=[given.reference("Practitioner/x")])

        client.transact(
            given.transaction(
                given.entry(sent), given.entry(given.practitioner(id="x"), method="PUT")
            )
        )
        assert client.read("Observation?performer=Practitioner/x&_summary=count")["total"] == 1

    def test_a_deleted_target_does_not_count(self, client: Client) -> None:
        mary = client.create(given.patient())
        client.update(given.practitioner(id="x"))
        client.delete("Practitioner/x")
        sent = given.observation(mary, performer=[given.reference("Practitioner/x")])

        assert client.post("Observation", sent).status_code == 422

    def test_addresses_elsewhere_are_free(self, client: Client) -> None:
        mary = client.create(given.patient())
        elsewhere = "https://other.example.org/fhir/Practitioner/1"

        client.create(given.observation(mary, performer=[given.reference(elsewhere)]))


class TestNone:
    """A mirror takes things in any order; a mentioned patient has a key from then on."""

    @pytest.fixture
    def record_settings(self) -> dict[str, str]:
        return {"EHR_REFERENCES": "none"}

    def test_a_mentioned_patient_is_adopted(self, client: Client, record: "Record") -> None:
        first = client.create(given.observation("Patient/mary"))
        second = client.create(given.observation("Patient/mary"))
        assert client.get("Patient/mary").status_code == 404
        assert client.read("Patient?_summary=count")["total"] == 0

        made = client.put("Patient/mary", given.patient(id="mary"))

        assert made.status_code == 201
        keys = {_key(record, "Observation", one["id"]) for one in (first, second)}
        assert keys == {_key(record, "Patient", "mary")}
        assert client.read("Observation?patient=mary&_summary=count")["total"] == 2
        assert client.read("Observation?patient:Patient.gender=female&_summary=count")["total"] == 2

    def test_mentions_in_one_bundle_share_a_key(self, client: Client, record: "Record") -> None:
        some = [given.observation("Patient/mary") for _ in range(5)]
        client.transact(given.transaction(*some, given.observation("Patient/anna")))

        found = client.read("Observation?_count=50")["entry"]
        keys = [_key(record, "Observation", entry["resource"]["id"]) for entry in found]
        assert sorted(keys.count(key) for key in set(keys)) == [1, 5]
        assert all(key > 0 for key in keys)

    def test_a_target_that_comes_later_is_found(self, client: Client) -> None:
        made = client.create(
            given.observation("Patient/mary", encounter=given.reference("Encounter/e"))
        )
        client.update(given.encounter("Patient/mary", id="e"))

        found = client.read("Observation?encounter=Encounter/e")["entry"]
        assert [entry["resource"]["id"] for entry in found] == [made["id"]]
        included = client.read("Observation?_include=Observation:encounter")["entry"]
        assert {entry["resource"]["resourceType"] for entry in included} == {
            "Observation",
            "Encounter",
        }

    def test_a_deleted_patient_may_be_mentioned(self, client: Client) -> None:
        client.update(given.patient(id="mary"))
        client.delete("Patient/mary")

        assert client.post("Observation", given.observation("Patient/mary")).status_code == 201


def _key(record: "Record", type: str, id: str) -> int:
    from fhir_profiles.definitions import type_number

    with record.database.read() as connection:
        key: int = connection.execute(
            text("SELECT patient_key FROM locator WHERE type = :type AND id = :id"),
            {"type": type_number(type), "id": id},
        ).scalar_one()
    return key


class TestPatientsOnlyMentioned:
    """A patient named beside the owner before being there: found by it once it comes."""

    @pytest.fixture
    def record_settings(self) -> dict[str, str]:
        return {"EHR_REFERENCES": "none"}

    def test_a_mention_leads_to_the_patient_who_comes_later(self, client: Client) -> None:
        client.update(
            {
                "resourceType": "Observation",
                "id": "o",
                "status": "final",
                "code": {"text": "weight"},
                "subject": {"reference": "Patient/mary"},
                "performer": [{"reference": "Patient/peter"}],
            }
        )
        client.update(given.patient(id="peter"))

        found = client.read("Observation?performer=Patient/peter")

        assert [entry["resource"]["id"] for entry in found["entry"]] == ["o"]
