"""Security labels and authors stand on the row and on each version, from the first day."""

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from ehr.store.labels import CONFIDENTIALITY, SENSITIVITY
from tests import given
from tests.client import Client

if TYPE_CHECKING:
    from ehr.record import Record

_LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_KIND = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def _labelled(*codes: str, **more: Any) -> given.Resource:
    security = [
        {"system": _LEVEL if code in CONFIDENTIALITY else _KIND, "code": code} for code in codes
    ]
    return given.patient(id="mary", **({"meta": {"security": security}} if codes else {}), **more)


def _rows(record: "Record", table: str) -> list[tuple[int, int, str, int]]:
    with record.database.read() as connection:
        rows = connection.execute(
            text(f"SELECT conf, sens, author, version FROM {table} ORDER BY version")
        ).all()
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("codes", "conf", "kinds"),
    [
        ((), 3, ()),
        (("R",), 4, ()),
        (("L", "V"), 5, ()),
        (("HIV",), 3, ("HIV",)),
        (("R", "PSY", "SDV"), 4, ("PSY", "SDV")),
        (("somethingelse",), 3, ()),
    ],
)
def test_labels_stand_on_row_and_version(
    client: Client, record: "Record", codes: tuple[str, ...], conf: int, kinds: tuple[str, ...]
) -> None:
    client.update(_labelled(*codes))

    sens = sum(1 << SENSITIVITY.index(kind) for kind in kinds)
    for table in ("resource", "version"):
        assert [row[:2] for row in _rows(record, table)] == [(conf, sens)]


def test_each_version_keeps_its_own_labels(client: Client, record: "Record") -> None:
    client.update(_labelled("V"))
    client.update(_labelled())
    client.update(_labelled("R", gender="male"))
    client.delete("Patient/mary")

    # The tombstone keeps its predecessor's.
    assert [row[0] for row in _rows(record, "version")] == [5, 3, 4, 4]
    assert [row[0] for row in _rows(record, "resource")] == [4]


def test_a_change_of_labels_only_is_a_version(client: Client, record: "Record") -> None:
    client.update(_labelled())
    made = client.update(_labelled("R"))

    assert made["meta"]["versionId"] == "2"
    assert client.read("Patient?_security=R&_summary=count")["total"] == 1


def test_the_author_stands_on_every_version(client: Client, record: "Record") -> None:
    client.update(_labelled())
    client.delete("Patient/mary")

    authors = {row[2] for row in _rows(record, "version")}
    assert len(authors) == 1
    assert None not in authors
