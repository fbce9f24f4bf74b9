"""Binaries of an app: by whose they are, or by what refers to them; `ehr/README.md`, *Access*."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests import given
from tests.client import Client

App = Callable[..., Client]


def binary(**more: Any) -> dict[str, Any]:
    """Describe a few bytes of text."""
    text = base64.b64encode(b"a letter").decode()
    return {"resourceType": "Binary", "contentType": "text/plain", "data": text, **more}


def letter(who: str, binary: dict[str, Any]) -> dict[str, Any]:
    """Describe a document of a patient that has this content."""
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": given.reference(f"Patient/{who}"),
        "content": [{"attachment": {"url": f"Binary/{binary['id']}"}}],
    }


@pytest.fixture
def letters(people: Client) -> dict[str, dict[str, Any]]:
    """Store a letter of each patient, and one of John's that says itself whose it is."""
    made = {}
    for who in ("mary", "john"):
        made[who] = people.create(binary())
        people.create(letter(who, made[who]))
    made["closed"] = people.create(binary(securityContext=given.reference("Patient/john")))
    people.create(letter("mary", made["closed"]))
    return made


@pytest.mark.parametrize("accept", ["application/fhir+json", "*/*", "text/plain"])
def test_l33_a_binary_is_read_through_the_own_document(
    mary: App, letters: dict[str, dict[str, Any]], accept: str
) -> None:
    app = mary("patient/Binary.rs patient/DocumentReference.rs")
    # Patients have no histories of Binaries, their doctors have.
    doctor = mary("patient/Binary.rs patient/DocumentReference.rs", kind="professional")

    path = {name: f"Binary/{one['id']}" for name, one in letters.items()}
    assert app.get(path["mary"], Accept=accept).status_code == 200
    for hidden in ("john", "closed"):
        assert app.get(path[hidden], Accept=accept).status_code == 404, hidden
        ranged = app.get(path[hidden], Accept=accept, Range="bytes=0-2")
        assert ranged.status_code == 404, hidden
        assert app.get(f"{path[hidden]}/_history/1").status_code == 404
        assert doctor.get(f"{path[hidden]}/_history").status_code == 404
    assert doctor.get(f"{path['mary']}/_history").status_code == 200
    assert {one["resource"]["id"] for one in app.read("Binary")["entry"]} == {letters["mary"]["id"]}


def test_l33_both_types_must_be_granted(mary: App, letters: dict[str, dict[str, Any]]) -> None:
    path = f"Binary/{letters['mary']['id']}"

    assert mary("patient/DocumentReference.rs").get(path).status_code == 403
    assert mary("patient/Binary.rs").get(path).status_code == 404


def test_a_binary_that_is_read_through_a_document_is_not_written(
    people: Client, client_with: App, letters: dict[str, dict[str, Any]]
) -> None:
    app = client_with("patient/*.cruds", kind="professional", patient="mary")

    path = f"Binary/{letters['mary']['id']}"
    assert app.get(path).status_code == 200
    assert app.put(path, letters["mary"]).status_code == 403
    assert app.post("DocumentReference", letter("mary", letters["john"])).status_code == 422
