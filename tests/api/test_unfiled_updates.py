"""An update is no move: an unfiled row stays under its organisation's key, whoever writes it.

ehr/README.md, *Owner and key*. Systems that act for no organisation see all unfiled rows and may
write them.
"""

from collections.abc import Callable
from typing import Any

import pytest

from ehr.bulk.checking import deep_check
from ehr.record import Record
from ehr.store import blobs
from ehr.store.locator import locate
from tests import given
from tests.client import Client

GROUP = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
IDENTIFIED = GROUP | {"identifier": [{"system": "urn:g", "value": "1"}]}
LABEL = {"system": "urn:l", "code": "x"}
LABELS = {
    "resourceType": "Parameters",
    "parameter": [{"name": "meta", "valueMeta": {"tag": [LABEL]}}],
}
LARGE = b"x" * (blobs.INLINE + 1)
MERGE = "application/merge-patch+json"


@pytest.fixture
def one(client_of: Callable[..., Client]) -> Client:
    return client_of("Organization/one")


@pytest.fixture
def other(client_of: Callable[..., Client]) -> Client:
    return client_of("Organization/other")


def _key(record: Record, type: str, id: str) -> int:
    with record.database.read() as connection:
        return locate(connection, [(type, id)])[type, id].patient_key


WRITES: dict[str, Callable[[Client], Any]] = {
    "put": lambda c: c.put("Group/g", IDENTIFIED | {"name": "new"}),
    "patch": lambda c: c.patch("Group/g", {"name": "new"}, MERGE),
    "meta-add": lambda c: c.post("Group/g/$meta-add", LABELS),
    "conditional-put": lambda c: c.put("Group?identifier=urn:g|1", IDENTIFIED | {"name": "new"}),
    "conditional-patch": lambda c: c.patch("Group?identifier=urn:g|1", {"name": "new"}, MERGE),
    "transaction": lambda c: c.post(
        "", given.transaction(given.entry(IDENTIFIED | {"name": "new"}, method="PUT"))
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_system_writes_what_an_organisation_owns(
    record: Record, client: Client, one: Client, other: Client, write: Callable[[Client], Any]
) -> None:
    one.update(IDENTIFIED)
    key = _key(record, "Group", "g")

    answer = write(client)

    assert answer.status_code == 200, answer.data
    assert _key(record, "Group", "g") == key == record.database.unfiled_key("Organization/one")
    assert one.read("Group/g")["meta"]["versionId"] == "2"
    assert other.get("Group/g").status_code == 404
    assert deep_check.check(record, lambda _steps, _versions: None).is_sound


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
def test_raw_content_replaces_what_an_organisation_owns(
    record: Record, client: Client, one: Client, other: Client, content: bytes
) -> None:
    one.request("PUT", "Binary/b", LARGE, content_type="text/plain")
    key = _key(record, "Binary", "b")

    answer = client.request("PUT", "Binary/b", content[::-1] + b"!", content_type="text/plain")

    assert answer.status_code == 200, answer.data
    assert _key(record, "Binary", "b") == key
    assert one.get("Binary/b").data == content[::-1] + b"!"
    assert other.get("Binary/b").status_code == 404
    assert deep_check.check(record, lambda _steps, _versions: None).is_sound


def test_one_transaction_writes_rows_of_several_organisations(
    record: Record, client: Client, one: Client, other: Client
) -> None:
    client.update(given.patient(id="mary"))
    keys = {}
    for id, owner in (("a", one), ("b", other), ("c", client)):
        owner.update(GROUP | {"id": id})
        keys[id] = _key(record, "Group", id)
    assert len(set(keys.values())) == 3
    changed = [given.entry(GROUP | {"id": id, "name": "new"}, method="PUT") for id in "abcd"]
    filed = {"resourceType": "Basic", "id": "n", "code": {"text": "note"}}
    one.update(filed)

    client.transact(
        given.transaction(
            *changed,
            given.entry(filed | {"subject": given.reference("Patient/mary")}, method="PUT"),
        )
    )

    assert {id: _key(record, "Group", id) for id in "abc"} == keys
    assert _key(record, "Group", "d") == keys["c"]
    assert _key(record, "Basic", "n") == _key(record, "Patient", "mary")
    assert deep_check.check(record, lambda _steps, _versions: None).is_sound


def test_what_comes_back_belongs_to_whom_it_belonged(
    record: Record, client: Client, one: Client
) -> None:
    one.update(GROUP)
    key = _key(record, "Group", "g")
    one.delete("Group/g")

    client.update(GROUP)

    assert _key(record, "Group", "g") == key


def test_what_is_filed_is_never_unfiled_again(client: Client) -> None:
    client.update(given.patient(id="mary"))
    note = {"resourceType": "Basic", "id": "n", "code": {"text": "note"}}
    client.update(note | {"subject": given.reference("Patient/mary")})

    assert client.put("Basic/n", note).status_code == 422
