"""Rows that earlier definitions or an earlier release made, and what becomes of them on a write."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from ehr.bulk.checking import deep_check
from ehr.interactions import applying
from ehr.search.indexer import Indexer
from ehr.store.drafts import OutdatedIndex
from tests import given

if TYPE_CHECKING:
    from ehr.record import Record
    from tests.client import Client

MARY = {**given.patient(family="Murray"), "id": "mary"}


def _faults(record: "Record") -> list[str]:
    report = deep_check.check(record, lambda *_: None)
    return [f"{one.name}: {one.examples}" for one in report.faults]


def _as_if_earlier(record: "Record") -> None:
    """Leave the rows of Mary as an earlier release might have: some lack, some are too many."""

    def work(connection: Any) -> None:
        connection.execute(text("UPDATE resource SET index_version = 1 WHERE id = 'mary'"))
        connection.execute(text("DELETE FROM token WHERE patient_key > 0"))
        connection.execute(text("UPDATE string SET param = 7 WHERE n = 0"))

    record.database.write(work)


@pytest.mark.parametrize("family", ["Murray", "Black"])
def test_a_write_replaces_all_rows_of_an_earlier_release(
    client: "Client", record: "Record", family: str
) -> None:
    client.update(MARY)
    _as_if_earlier(record)

    client.update({**MARY, "active": True, "name": [{"family": family}]})

    assert _faults(record) == []
    assert client.read("Patient?active=true")["entry"][0]["resource"]["id"] == "mary"


def test_a_delete_removes_all_rows_of_an_earlier_release(
    client: "Client", record: "Record"
) -> None:
    client.update(MARY)
    _as_if_earlier(record)

    assert client.delete("Patient/mary").status_code == 204

    assert _faults(record) == []


def test_rows_made_by_other_definitions_are_made_again(
    client: "Client", record: "Record", monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    rows = Indexer.rows

    def outdated_once(self: Indexer, *arguments: Any) -> Any:
        found = rows(self, *arguments)
        made.append(found.stamp)
        if len(made) == 1:
            found.stamp += 1000
        return found

    monkeypatch.setattr(Indexer, "rows", outdated_once)

    created = client.create(given.patient())

    assert len(made) == 2
    assert json.loads(client.get(f"Patient/{created['id']}").get_data())["id"] == created["id"]


def test_what_is_always_outdated_ends_as_a_conflict(
    client: "Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    def outdated(*_: Any, **__: Any) -> Any:
        raise OutdatedIndex

    monkeypatch.setattr(applying, "commit", outdated)
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": []}
    bundle["entry"] = [
        {"resource": one, "request": {"method": "POST", "url": "Patient"}}
        for one in (given.patient(), given.patient())
    ]

    assert client.post("", bundle).status_code == 409
