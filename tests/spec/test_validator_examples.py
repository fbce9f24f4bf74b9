"""Real resources are accepted: HL7's R4 examples and every Synthea set."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest

from fhir_profiles.issues import Issue
from fhir_profiles.json_format import parse, serialise
from fhir_profiles.validator import validate
from fhir_profiles.validator.accept import accepts
from tests.shared_data import shared

EXAMPLES = "hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz"
# Published, and still against R4: warnings for a record that mirrors them, errors otherwise.
FAULTY = {
    "ActivityDefinition-blood-tubes-supply": "txt-2: its narrative is white space",
    "Questionnaire-zika-virus-exposure-assessment": "txt-2: its narrative is white space",
    "Bundle-10bb101f-a121-4264-a920-67be9cb82c74": "fullUrl ends with another id",
    "Bundle-lri-example": "fullUrls end with other ids",
    "DeviceUseStatement-example": "reasonReference to a Procedure",
    "MedicationRequest-medrx0301": "performer is a Practitioner",
    "Observation-clinical-gender": "performer is an Encounter",
}
SYNTHEA = [
    "synthea-2018-r4-smart",
    "bulk-2025-10-patients-partial",
    "bulk-2025-1000-patients-less-100-partial",
    "inferno-reference-us-core",
    pytest.param("synthea-2021-uscore3-blaze", marks=pytest.mark.slow),
]


def test_every_hl7_example_is_accepted_tolerantly_and_only_known_ones_have_errors() -> None:
    faulty = set()
    count = 0
    for name, resource in _documents(EXAMPLES):
        count += 1
        assert _errors(validate(resource, tolerant=True)) == [], name
        if validate(resource):
            faulty.add(PurePosixPath(name).stem)

    assert faulty == set(FAULTY)
    assert count == 452


def test_every_hl7_example_survives_reading_and_writing() -> None:
    for name, resource in _documents(EXAMPLES):
        assert json.loads(serialise(resource)) == json.loads(serialise(parse(serialise(resource))))
        assert parse(serialise(resource, pretty=True)) == resource, name


@pytest.mark.parametrize("archive", SYNTHEA)
def test_synthea_is_accepted_on_the_fast_path(archive: str) -> None:
    doubted = [
        (name, validate(resource)[:3])
        for name, resource in _documents(f"synthea/{archive}.tar.gz")
        if not accepts(resource)
    ]

    assert doubted == []


def _errors(issues: list[Issue]) -> list[Issue]:
    return [one for one in issues if one.severity == "error"]


def _documents(path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with tarfile.open(shared(path)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None or member.name.rpartition(".")[2] not in ("json", "ndjson"):
                continue
            data = content.read()
            documents = data.splitlines() if member.name.endswith(".ndjson") else [data]
            for document in documents:
                resource = parse(document) if document.strip() else None
                if isinstance(resource, dict) and "resourceType" in resource:
                    yield member.name, resource
