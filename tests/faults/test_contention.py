"""Many clients at once on one resource: no lost update, no duplicate, no fault, no deadlock."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from auth.principal import Principal
from ehr.errors import FhirError, PreconditionFailed
from ehr.messages import Document, Interaction, Preconditions, Result
from ehr.pipeline import handle
from ehr.record import Record
from tests import given

CLIENTS = 64
PRINCIPAL = Principal("tests", "system", "tests")
NHS = "https://fhir.nhs.uk/Id/nhs-number"
NUMBER = {"system": NHS, "value": "9000000009"}


def _ask(record: Record, name: str, body: dict[str, Any] | None = None, **asked: Any) -> Result:
    document = None
    if body is not None:
        raw = json.dumps(body).encode()
        document = Document(raw, json.loads(raw))
    return handle(record, PRINCIPAL, Interaction(name=name, document=document, **asked))


def _put(record: Record, resource: dict[str, Any], *, if_match: str | None = None) -> int:
    """Update a resource, on one version of it where that is given; return the status."""
    named = {"type": resource["resourceType"], "id": resource["id"]}
    conditions = Preconditions(if_match=(if_match,) if if_match else ())
    return _ask(record, "update", resource, method="PUT", preconditions=conditions, **named).status


def _at_once(work: Callable[[int], int]) -> Counter[int]:
    """Run `work` for each client at the same moment and count the statuses."""
    barrier = threading.Barrier(CLIENTS)

    def client(number: int) -> int:
        barrier.wait(30)
        try:
            return work(number)
        except FhirError as error:
            return error.status

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(client, range(CLIENTS)))


def _version(record: Record, type: str, id: str) -> int:
    return _ask(record, "read", type=type, id=id).version or 0


def _count(record: Record, type: str) -> int:
    found = _ask(record, "search-type", type=type, params=(("_count", "1000"),))
    return len(json.loads(found.body or b"{}").get("entry", []))


def test_updates_without_a_condition_all_count(record: Record) -> None:
    _put(record, given.patient(id="mary"))

    statuses = _at_once(lambda n: _put(record, given.patient(id="mary", family=f"Murray {n}")))

    assert statuses == {200: CLIENTS}
    assert _version(record, "Patient", "mary") == CLIENTS + 1


def test_of_updates_on_one_version_exactly_one_wins(record: Record) -> None:
    _put(record, given.patient(id="mary"))

    statuses = _at_once(
        lambda n: _put(record, given.patient(id="mary", family=f"Murray {n}"), if_match="1")
    )

    assert statuses == {200: 1, 412: CLIENTS - 1}
    assert _version(record, "Patient", "mary") == 2


def test_a_counter_kept_by_if_match_loses_no_step(record: Record) -> None:
    first = given.observation("Patient/mary", value=0) | {"id": "steps"}
    _put(record, given.patient(id="mary"))
    _put(record, first)

    def step(_: int) -> int:
        while True:
            now = _ask(record, "read", type="Observation", id="steps")
            resource = json.loads(now.body or b"")
            resource["valueQuantity"]["value"] += 1
            try:
                return _put(record, resource, if_match=str(now.version))
            except PreconditionFailed:
                continue  # somebody else was first: read it again

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(step, range(CLIENTS))) == {200}

    resource = json.loads(_ask(record, "read", type="Observation", id="steps").body or b"")
    assert resource["valueQuantity"]["value"] == CLIENTS


def test_the_same_new_id_is_created_once(record: Record) -> None:
    statuses = _at_once(lambda n: _put(record, given.patient(id="new", family=f"Murray {n}")))

    assert statuses == {201: 1, 200: CLIENTS - 1}
    assert _version(record, "Patient", "new") == CLIENTS


def test_the_same_conditional_create_makes_one(record: Record) -> None:
    statuses = _at_once(
        lambda _: (
            _ask(
                record,
                "create",
                given.patient(identifier=[NUMBER]),
                type="Patient",
                method="POST",
                preconditions=Preconditions(if_none_exist=f"identifier={NHS}|9000000009"),
            ).status
        )
    )

    assert statuses == {201: 1, 200: CLIENTS - 1}
    assert _count(record, "Patient") == 1


@pytest.mark.parametrize("clients", [16])
def test_the_same_conditional_bundle_makes_one_of_each(record: Record, clients: int) -> None:
    def bundle(number: int) -> dict[str, Any]:
        full_url = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
        once = f"identifier={NHS}|9000000009"
        visit = {"system": "https://example.org/visits", "value": "1"}
        encounter = given.encounter(full_url, identifier=[visit])
        visited = f"identifier={visit['system']}|1"
        return {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "fullUrl": full_url,
                    "resource": given.patient(identifier=[NUMBER]),
                    "request": {"method": "POST", "url": "Patient", "ifNoneExist": once},
                },
                {
                    "resource": encounter,
                    "request": {"method": "POST", "url": "Encounter", "ifNoneExist": visited},
                },
            ],
        }

    statuses = _at_once(
        lambda n: _ask(record, "transaction", bundle(n % clients), method="POST").status
    )

    assert statuses == {200: CLIENTS}
    assert (_count(record, "Patient"), _count(record, "Encounter")) == (1, 1)
