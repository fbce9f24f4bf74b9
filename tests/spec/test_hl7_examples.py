"""HL7's 452 R4 examples: all are taken by a mirror, and come back as they were, in JSON and XML."""

import json
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.client import Client, expect
from tests.shared_data import shared
from tests.spec.synthea import exact

JSON = "application/fhir+json"
XML = "application/fhir+xml"
_EVIDENCE = "AuditEvent/"  # nobody changes it, so nobody chooses its id
ARCHIVE = "hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz"


@pytest.fixture
def record_settings() -> dict[str, str]:
    """Take what refers to what is not there."""
    return {"EHR_REFERENCES": "none"}


def _examples() -> Iterator[tuple[str, bytes]]:
    with tarfile.open(shared(ARCHIVE)) as archive:
        for member in archive.getmembers():
            if member.isfile() and member.name.endswith(".json") and "/" in member.name:
                file = archive.extractfile(member)
                assert file is not None
                yield member.name, file.read()


def _parsed(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data, parse_float=Decimal)
    return found


def test_all_examples_are_created_and_read_back(client: Client) -> None:
    number = 0
    for name, data in _examples():
        sent = _parsed(data)
        made = expect(client.post(sent["resourceType"], data), 201)

        found = expect(client.get(f"{sent['resourceType']}/{made['id']}", Accept=JSON), 200)

        assert exact(found) == exact(sent), name
        number += 1
    assert number == 452


def test_all_examples_keep_their_ids_by_put(client: Client) -> None:
    """In any order: what is referred to before it is there is adopted when it comes."""
    every = [one for one in _examples() if not one[0].startswith(_EVIDENCE)]

    for name, data in every:
        sent = _parsed(data)
        answer = client.request("PUT", f"{sent['resourceType']}/{sent['id']}", data)
        assert answer.status_code == 201, (name, answer.get_data(as_text=True)[:500])

    for name, data in every:
        sent = _parsed(data)
        found = expect(client.get(f"{sent['resourceType']}/{sent['id']}", Accept=JSON), 200)
        assert exact(found) == exact(sent), name


def test_all_examples_go_through_xml_unchanged(client: Client) -> None:
    for name, data in _examples():
        sent = _parsed(data)
        path = sent["resourceType"]
        place = f"{path}/{expect(client.post(path, data), 201)['id']}"

        as_xml = client.get(place, Accept=XML)
        assert as_xml.status_code == 200, name
        again = client.request("POST", path, as_xml.data, content_type=XML)

        # XML has attributes first, so the order of members may be another.
        found = expect(again, 201)
        assert exact(found, ordered=False) == exact(sent, ordered=False), name
