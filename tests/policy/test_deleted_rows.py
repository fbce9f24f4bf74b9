"""What is deleted is read in its versions by who might read what was deleted, and by nobody else.

auth/README.md, *From the role to the row*: a Consent that keeps back a group of data, and what the
role table calls social, hold for what is deleted too, whose rows no search finds any more.
"""

from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.client import Client
from tests.policy.leaks.disclosing import version_names
from tests.policy.staff import put_ward, staff
from tests.unit.ehr.access.access_documents import consent

if TYPE_CHECKING:
    from ehr.record import Record

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
VITAL = {"category": [given.concept("vital-signs", CATEGORY)]}
KEPT: dict[str, tuple[dict[str, Any], str, str]] = {
    "by category": (given.observation("Patient/mary", id="kept", **VITAL), CATEGORY, "vital-signs"),
    "by code": (given.condition("Patient/mary", id="kept"), given.SNOMED, "73211009"),
    "by what has no parameter": (
        {"resourceType": "Flag", "id": "kept", "status": "active", "code": {"text": "Lives alone"},
         "category": [given.concept("clinical", "urn:flags")],
         "subject": given.reference("Patient/mary")},
        "urn:flags",
        "clinical",
    ),
}  # fmt: skip


@pytest.fixture
def gp(client: Client, record: "Record") -> Client:
    put_ward(client)
    return staff(record)


def seen(app: Client) -> set[str]:
    """Return the ids of which a caller is shown versions."""
    return {id for _, id, _ in version_names(app.read("_history?_count=200"))}


@pytest.mark.parametrize("kept", KEPT)
def test_what_a_consent_keeps_back_stays_so_once_it_is_deleted(
    client: Client, gp: Client, kept: str
) -> None:
    row, system, code = KEPT[kept]
    name = f"{row['resourceType']}/kept"
    client.update_all(row, given.observation("Patient/mary", id="open"))
    assert gp.get(name).status_code == 200
    client.update({**consent({"type": "deny", "code": [given.concept(code, system)]}), "id": "no"})
    assert gp.get(name).status_code == 404

    for one in (name, "Observation/open"):
        client.delete(one)

    for path in (name, f"{name}/_history", f"{name}/_history/1", f"{name}/_history/2"):
        assert gp.get(path).status_code == 404, path
    assert gp.get("Observation/open").status_code == 410
    assert {"open"} <= seen(gp)
    assert "kept" not in seen(gp)
    assert {"open", "kept"} <= seen(client)


def test_what_is_social_stays_so_once_it_is_deleted(client: Client, record: "Record") -> None:
    put_ward(client)
    worker = staff(record, "social-worker")
    documents = {
        id: {
            "resourceType": "DocumentReference", "id": id, "status": "current",
            "category": [given.concept(category, "urn:category")],
            "meta": {"security": [{"system": "urn:any", "code": "none"}]},
            "subject": given.reference("Patient/mary"),
            "content": [{"attachment": {"contentType": "text/plain"}}],
        }
        for id, category in (("social", "social-care"), ("superseded", "clinical-note"))
    }  # fmt: skip
    documents["superseded"]["status"] = "superseded"
    client.update_all(*documents.values())
    assert [worker.get(f"DocumentReference/{id}").status_code for id in documents] == [200, 404]

    for id in documents:
        client.delete(f"DocumentReference/{id}")

    assert worker.get("DocumentReference/social/_history/1").status_code == 200
    assert worker.get("DocumentReference/superseded/_history/1").status_code == 404
    assert seen(worker) & documents.keys() == {"social"}


@pytest.mark.parametrize("kept", KEPT)
def test_what_is_made_anew_is_judged_by_what_it_says_now(
    client: Client, gp: Client, kept: str
) -> None:
    row, system, code = KEPT[kept]
    name = f"{row['resourceType']}/kept"
    client.update_all(row)
    client.update({**consent({"type": "deny", "code": [given.concept(code, system)]}), "id": "no"})
    client.delete(name)
    assert gp.get(name).status_code == 404
    other = {**row, "category": [given.concept("other", "urn:other")]}
    if "code" in row and "value" not in str(row["code"]):
        other["code"] = given.concept("other", "urn:other")

    client.update(other)

    assert gp.get(name).status_code == 200
    client.update(row)
    assert gp.get(name).status_code == 404


def test_no_search_finds_what_is_deleted(client: Client) -> None:
    put_ward(client)
    client.update_all(*(row for row, _, _ in KEPT.values()))
    searches = [
        f"Observation?category={CATEGORY}|vital-signs",
        f"Condition?code={given.SNOMED}|73211009",
        "Condition?code:text=73211009",
        "Flag?patient=mary",
        "?_type=Observation,Condition,Flag&_lastUpdated=gt2020-01-01",
    ]
    for type in ("Observation", "Condition", "Flag"):
        client.delete(f"{type}/kept")

    for path in searches:
        assert "entry" not in client.read(path), path
