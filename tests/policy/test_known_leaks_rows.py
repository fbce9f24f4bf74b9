"""Leaks that other servers had in rows and histories (L4, L11, L13, L16, L19, L20, L32, L33)."""

from typing import TYPE_CHECKING

import pytest

from tests import given
from tests.policy.house import SEALED, House, found, is_as_unknown, open_house
from tests.policy.leaks.disclosing import version_names
from tests.policy.naive.vocabulary import CONFIDENTIALITY

if TYPE_CHECKING:
    from ehr.record import Record


@pytest.fixture
def house(record: "Record") -> House:
    return open_house(record)


def test_l04_a_row_of_others_is_not_read_by_its_id(house: House) -> None:
    """microsoft/fhir-server #2934: a direct GET went past the compartment."""
    for name in (
        "Patient/john",
        "Observation/john-pulse",
        "Binary/john-scan",
        "Bundle/john-document",
    ):
        for path in (name, f"{name}/_history/1"):
            assert house.everything.get(path).status_code == 200
            assert house.gp.get(path).status_code == 404, path
            assert house.gp.request("HEAD", path).status_code == 404, path
            assert house.gp.get(path.replace("john", "mary")).status_code == 200, path


def test_l11_histories_are_of_what_is_seen(house: House) -> None:
    """LinuxForHealth/FHIR #2300: type and system history unfiltered, deletions too."""
    for who in ("mary", "john"):
        house.everything.delete(f"Observation/{who}-pulse")

    for path in ("_history", "Observation/_history"):
        whole = {one[1] for one in version_names(house.everything.read(f"{path}?_count=200"))}
        assert {"mary-pulse", "john-pulse"} <= whole
        seen = version_names(house.gp.read(f"{path}?_count=200"))
        assert not any("john" in id for _, id, _ in seen), path
        assert {("Observation", "mary-pulse", 1), ("Observation", "mary-pulse", 2)} <= set(seen)
    assert house.gp.read("Observation/_history?_summary=count")["total"] == 3
    assert is_as_unknown(house.gp, "GET", "Observation/john-pulse/_history")


@pytest.mark.parametrize("name", ["Patient/john", "Observation/john-pulse"])
@pytest.mark.parametrize("deleted", [False, True])
def test_l13_no_read_tells_whether_an_id_exists(house: House, name: str, *, deleted: bool) -> None:
    """LinuxForHealth/FHIR #1809: who may not see a Patient learnt that the id is in use."""
    if deleted:
        for one in ("Observation/john-pulse", "Observation/john-focus"):
            house.everything.delete(one)
    for path in (name, f"{name}/_history", f"{name}/_history/1", f"{name}/$meta"):
        assert is_as_unknown(house.gp, "GET", path), path
    assert is_as_unknown(house.gp, "HEAD", name)
    assert is_as_unknown(house.gp, "DELETE", name)


@pytest.mark.parametrize("role", ["other-staff", "", "named-lead", "patient", "nonsense"])
def test_l16_who_is_not_known_to_the_table_sees_nothing(house: House, role: str) -> None:
    """icanbwell/fhir-server #2376: a check that was true without asking."""
    client = house.staff(role, "ann", "practice")

    for type in ("Patient", "Observation", "Condition", "Binary", "Subscription", "AuditEvent"):
        response = client.get(f"{type}?_lastUpdated=gt1900")
        assert response.status_code == 403 or "entry" not in response.get_json(), type
    assert client.get("Patient/mary").status_code == 403
    assert house.gp.get("Patient/mary").status_code == 200


def test_l19_what_is_hidden_goes_by_the_row(house: House) -> None:
    """medplum #3332: of two rules one hid elements, of all rows or of none.

    The ward treats Mary, and is only asked to see John: of him it sees who he is.
    """
    mary, john = (house.consultant.read(f"Patient/{who}") for who in ("mary", "john"))
    assert mary["telecom"]
    assert "telecom" not in john
    assert john["birthDate"] == "1950-03-02"

    both = house.consultant.read("Patient?_id=mary,john")["entry"]
    assert {one["resource"]["id"]: "telecom" in one["resource"] for one in both} == {
        "mary": True, "john": False,
    }  # fmt: skip
    assert found(house.consultant, "Patient?telecom=0131 mary") == {"mary"}
    assert found(house.consultant, "Patient?telecom=0131 john") == set()
    assert found(house.consultant, "Observation?patient=john") == set()


def test_l20_what_is_cut_keeps_id_and_version(house: House) -> None:
    """medplum #7352: hiding `meta` broke the answer."""
    sealed = house.everything.read("Patient/john") | {"meta": {"tag": [{"code": "x"}]}}
    house.everything.update(sealed)

    for path in ("Patient/john", "Patient/john/_history/1"):
        john = house.consultant.read(path)
        assert john["id"] == "john"
        assert john["meta"]["versionId"] == ("1" if path.endswith("1") else "2")
        assert "lastUpdated" in john["meta"]
        assert "tag" not in john["meta"]


def test_l32_a_document_is_seen_by_whose_it_is(house: House) -> None:
    """hapi-fhir #5952: judged by its shell; #1777: linked Patients in the compartment."""
    assert found(house.gp, "Bundle?_lastUpdated=gt1900") == {"mary-document"}
    assert found(house.gp, "Bundle?composition.type=34133-9") <= {"mary-document"}
    house.everything.update(
        house.everything.read("Bundle/mary-document") | {"meta": SEALED, "id": "mary-document"}
    )
    assert house.gp.get("Bundle/mary-document").status_code == 200  # the registered practice
    assert house.consultant.get("Bundle/mary-document").status_code == 404

    link = [{"other": given.reference("Patient/john"), "type": "seealso"}]
    house.everything.update(house.everything.read("Patient/mary") | {"link": link})
    assert house.gp.get("Patient/john").status_code == 404
    assert found(house.gp, "Patient?_include=Patient:link") == {"mary"}
    assert "john" not in found(house.gp, "Patient/mary/$everything")


def test_l33_the_security_context_of_a_binary_decides(house: House) -> None:
    """LinuxForHealth/FHIR #3716: content read by id whoever it is about."""
    house.everything.update(
        {
            "resourceType": "DocumentReference",
            "id": "mary-letter",
            "status": "current",
            "subject": given.reference("Patient/mary"),
            "content": [{"attachment": {"url": "Binary/john-scan"}}],
        }
    )

    for headers in ({}, {"Accept": "text/plain"}, {"Accept": "text/plain", "Range": "bytes=0-2"}):
        assert house.gp.request("GET", "Binary/john-scan", headers=headers).status_code == 404
        mine = house.gp.request("GET", "Binary/mary-scan", headers=headers).status_code
        assert mine == (206 if "Range" in headers else 200)


def test_a_version_is_judged_by_its_own_labels_and_by_the_current_ones(house: House) -> None:
    """A locked flag is for all who treat the patient, a sealed one is not: seen is what both open.

    As the stricter of both alone, the one made the other's version a locked flag.
    """
    flag = {"resourceType": "Flag", "id": "mary-flag", "status": "active",
            "code": given.concept("225908003"),
            "subject": given.reference("Patient/mary")}  # fmt: skip
    locked = {"security": [{"system": CONFIDENTIALITY, "code": "V"}]}
    worker = house.staff("social-worker", "ben", "ward")

    house.everything.update(flag | {"meta": locked})
    assert worker.get("Flag/mary-flag").status_code == 200
    house.everything.update(flag | {"meta": SEALED})

    for path in ("Flag/mary-flag", "Flag/mary-flag/_history/1", "Flag/mary-flag/_history"):
        assert worker.get(path).status_code == 404, path
    for path in ("_history", "Flag/_history"):
        assert "mary-flag" not in {one[1] for one in version_names(worker.read(path))}, path
        assert "mary-flag" in {one[1] for one in version_names(house.gp.read(path))}, path
