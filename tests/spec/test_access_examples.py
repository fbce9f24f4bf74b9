"""Every shared example gives relationships, consent rules and facets without an exception."""

import tarfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ehr.access.consents import compiled
from ehr.access.relationships import SOURCES, Source, relationships_of
from ehr.access.terms import Terms
from ehr.search.values.intervals import interval_reader
from fhir_profiles.facets import facets
from fhir_profiles.json_format import parse
from tests.shared_data import shared

_TERMS = Terms(interval_reader("Europe/London"))
_AT = 1_750_000_000_000
_ARCHIVES = (
    "hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz",
    "uk/ukcore-examples.tar.gz",
    "careplan-mcc/hl7-us-mcc-examples.tar.gz",
    "au-fhir-test-data/au-fhir-test-data.tar.gz",
    "synthea/inferno-reference-us-core.tar.gz",
)


@pytest.mark.parametrize("archive", _ARCHIVES)
def test_every_example_is_understood_or_refused_in_words(archive: str) -> None:
    count: Counter[str] = Counter()
    for document in _resources(archive):
        facets(document)
        found = relationships_of(Source("x", document, _AT, birth="2010"), _TERMS)
        count[document["resourceType"]] += 1
        count["relationships"] += len(found)
        assert document["resourceType"] in SOURCES or not found
        if document["resourceType"] == "Consent":
            one = compiled(document, _TERMS)
            assert not (one.rules and one.problems)
            assert all(problem.expression.startswith("Consent") for problem in one.problems)

    assert count["relationships"] > 0
    assert count["Patient"] > 0


def _resources(archive: str) -> Iterator[dict[str, Any]]:
    with tarfile.open(shared(archive)) as files:
        for member in files:
            file = files.extractfile(member) if member.name.endswith(".json") else None
            document: Any = parse(file.read()) if file else None
            if isinstance(document, dict) and "resourceType" in document:
                yield document
                entries = document.get("entry") if document["resourceType"] == "Bundle" else None
                yield from (one["resource"] for one in entries or () if "resource" in one)
