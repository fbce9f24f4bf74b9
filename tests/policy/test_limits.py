"""T26: what people's apps may send and take at once is less than what systems may."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import given
from tests.client import Client, expect
from tests.policy.conftest import proxy_of

PEOPLE, SYSTEMS = 2, 4
# Patients have the history of who they are, and carers none.
NO_HISTORY_OF = {"Observation/_history": ("patient", "carer"), "_history": ("carer",)}


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {
        "EHR_BODY_LIMIT": "3000, 6000",
        "EHR_BUNDLE_LIMIT": f"{PEOPLE}, {SYSTEMS}",
        "EHR_PAGE_LIMIT": f"{PEOPLE}, {SYSTEMS}",
        "EHR_PAGE_SIZE": "1",
    }


@pytest.fixture(params=["professional", "patient", "carer", "system"])
def caller(
    request: pytest.FixtureRequest, client: Client, client_with: Callable[..., Client]
) -> tuple[Client, int]:
    """Give a caller of each kind, and how many entries it may send and take."""
    surgery = [given.reference("Organization/surgery")]
    client.update(given.patient(id="mary", generalPractitioner=surgery))
    for number in range(SYSTEMS + 1):
        client.update(given.observation("Patient/mary", id=f"o{number}"))
    for one in proxy_of("mary"):
        client.update(one)
    if request.param == "system":
        return client, SYSTEMS
    scope = "user/*.cruds" if request.param == "professional" else "patient/*.cruds"
    person = "Patient/mary" if request.param == "patient" else None
    return client_with(scope, kind=request.param, patient="mary", person=person), PEOPLE


def _bundle(kind: str, count: int) -> dict[str, Any]:
    asked = {"request": {"method": "GET", "url": "Patient/mary"}}
    return {"resourceType": "Bundle", "type": kind, "entry": [asked] * count}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_t26_entries_of_a_bundle(caller: tuple[Client, int], kind: str) -> None:
    who, most = caller
    expect(who.post("", _bundle(kind, most)), 200)

    refused = expect(who.post("", _bundle(kind, most + 1)), 413)

    issue = refused["issue"][0]
    assert issue["expression"] == ["Bundle.entry"]
    assert f"may send {most} at once" in issue["diagnostics"]


@pytest.mark.parametrize("path", ["Observation", "Observation/_history", "_history"])
def test_t26_entries_of_a_page(
    request: pytest.FixtureRequest, caller: tuple[Client, int], path: str
) -> None:
    who, most = caller
    kind = request.node.callspec.params["caller"]

    answer = who.get(f"{path}?_count=1000")

    if kind in NO_HISTORY_OF.get(path, ()):
        expect(answer, 403)
    else:
        page = expect(answer, 200)
        assert len(page["entry"]) == (1 if (kind, path) == ("patient", "_history") else most)


def test_t26_entries_of_a_page_of_everything(caller: tuple[Client, int]) -> None:
    who, most = caller

    page = expect(who.get("Patient/mary/$everything?_count=1000"), 200)

    assert len(page["entry"]) == most


def test_t26_length_of_a_body(caller: tuple[Client, int]) -> None:
    who, most = caller
    limit = 1500 * most
    reported = {"status": "preliminary", "meta": {"tag": [{"code": "patient-reported"}]}}
    fitting, longer = (
        {"note": [{"text": "x" * length}], **reported} for length in (limit - 1000, limit)
    )

    expect(who.post("Observation", given.observation("Patient/mary", **fitting)), 201)
    refused = expect(who.post("Observation", given.observation("Patient/mary", **longer)), 413)

    assert f"{limit} bytes" in refused["issue"][0]["diagnostics"]
