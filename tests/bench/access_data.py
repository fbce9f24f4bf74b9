"""Three GPs with caseloads of 40, 2,000 and 12,000 patients, for the bench of access.

Half of a caseload is registered with the GP's practice, half is theirs through a care team. What is
asked about is the record of some of them; the others are there to be related to.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from auth import tokens
from auth.principal import Principal
from ehr.messages import Document, Interaction
from ehr.pipeline import unaudited
from ehr.record import Record
from ehr.store.upkeep import settle
from fhir_profiles import json_format
from tests import given

CASELOADS = (40, 2_000, 12_000)
_ASKED = 40  # patients of each caseload whose records are asked about
_OBSERVATIONS, _CONDITIONS = 90, 9
_CATEGORIES = ("vital-signs", "laboratory", "survey")
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_AT_ONCE = 500  # entries of a transaction
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_WRITER = Principal("bench", "system", "bench")

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Caseload:
    """One GP: how many patients, the token, and what may be asked about some of them."""

    size: int
    token: str
    reads: tuple[str, ...]
    observations: tuple[str, ...]
    conditions: tuple[str, ...]


def fill(record: Record) -> tuple[Caseload, ...]:
    """Write the population and return its callers."""
    resources = (one for size in CASELOADS for one in _all_of(size))
    while some := list(islice(resources, _AT_ONCE)):
        _put(record, some)
    settle(record.database)
    return tuple(_caseload(record, size) for size in CASELOADS)


def system_token(record: Record) -> str:
    """Return a token of whom no access rule is asked."""
    return record.database.write(
        lambda connection: tokens.create(
            connection, kind="system", name="bench", now=record.clock()
        )
    )


def _put(record: Record, resources: list[Resource]) -> None:
    entries = [
        {
            "resource": one,
            "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
        }
        for one in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    raw = json_format.serialise(bundle)
    document = Document(raw, json_format.parse(raw))
    asked = Interaction(name="transaction", method="POST", document=document)
    assert unaudited(record, _WRITER, asked).status == 200


def _all_of(size: int) -> Iterator[Resource]:
    gp, practice = f"Practitioner/gp-{size}", f"Organization/practice-{size}"
    yield given.organisation(f"Practice of {size}", id=f"practice-{size}")
    yield given.practitioner(id=f"gp-{size}")
    yield {
        "resourceType": "PractitionerRole",
        "id": f"gp-{size}",
        "practitioner": given.reference(gp),
        "organization": given.reference(practice),
    }
    for n in range(size):
        yield from _patient(f"{size}-{n}", gp, practice, is_registered=n % 2 == 0)
    for n in _numbers(size):
        yield from _record_of(f"{size}-{n}")


def _numbers(size: int) -> list[int]:
    """Return which patients are asked about: all over the caseload, of either way into it."""
    step = max(1, size // _ASKED) | 1
    return list(islice(range(0, size, step), _ASKED))


def _patient(id: str, gp: str, practice: str, *, is_registered: bool) -> Iterator[Resource]:
    if is_registered:
        yield given.patient("Mary", f"Murray-{id}", id=id,
                            generalPractitioner=[given.reference(practice)])  # fmt: skip
        return
    yield given.patient("Mary", f"Murray-{id}", id=id)
    yield {
        "resourceType": "CareTeam",
        "id": f"team-{id}",
        "status": "active",
        "subject": given.reference(f"Patient/{id}"),
        "participant": [{"member": given.reference(gp)}],
    }


def _record_of(id: str) -> Iterator[Resource]:
    patient = f"Patient/{id}"
    for n in range(_OBSERVATIONS):
        category = [given.concept(_CATEGORIES[n % len(_CATEGORIES)], _CATEGORY)]
        at = (_FIRST + timedelta(days=n)).isoformat()
        yield given.observation(patient, id=f"o-{id}-{n}", value=60 + n, when=at, category=category)
    for n in range(_CONDITIONS):
        yield given.condition(patient, id=f"c-{id}-{n}")


def _caseload(record: Record, size: int) -> Caseload:
    ids = [f"{size}-{n}" for n in _numbers(size)]
    read = [f"/Observation/o-{id}-{n}" for n in range(0, _OBSERVATIONS, 9) for id in ids]
    read += [f"/Condition/c-{id}-{n}" for n in range(0, _CONDITIONS, 3) for id in ids]
    read += [f"/Patient/{id}" for id in ids]
    category = [
        f"/Observation?patient={id}&category={one}&_sort=-date&_count=20"
        for one in _CATEGORIES
        for id in ids
    ]
    conditions = [f"/Condition?patient={id}" for id in ids]
    return Caseload(size, _token(record, size), tuple(read), tuple(category), tuple(conditions))


def _token(record: Record, size: int) -> str:
    context = {"author": f"Practitioner/gp-{size}", "person": f"Practitioner/gp-{size}"}
    return record.database.write(
        lambda connection: tokens.create(
            connection,
            kind="professional",
            name="bench",
            now=record.clock(),
            organisation=f"practice-{size}",
            scope="user/*.cruds",
            client_id="bench",
            context=json.dumps({**context, "role": "gp"}),
        )
    )
