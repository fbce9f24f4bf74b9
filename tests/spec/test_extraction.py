"""What the compiled extraction finds, against another FHIRPath engine and all HL7 examples."""

import json
import re
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from ehr.search.indexer import Indexer
from ehr.search.parameters.reference_paths import reference_paths
from ehr.store.hashing import Hasher
from fhir_profiles.definitions import resource_types
from fhir_profiles.extraction import Extractor, Leaf, Sink, compile_extractor, leaves
from fhir_profiles.search_parameters import SearchParameter, for_type
from fhir_profiles.selection import read_expression
from tests.shared_data import shared
from tests.spec.indexed import indexed

_INDEXED = ("date", "number", "quantity", "reference", "string", "token", "uri")
_FINDS = {
    "Patient?identifier=urn:oid:1.2.36.146.595.217.0.1|12345": "Patient/example",
    "Observation?combo-value-quantity=107": "Observation/blood-pressure",
    "Bundle?composition:missing=false": "Bundle/3ad0687e-f477-468c-afd5-fcc2bf897819",
    "ValueSet?reference=http://loinc.org": "ValueSet/example-extensional",
}


@cache
def examples() -> tuple[dict[str, Any], ...]:
    """Return the 452 examples of R4, decimals exact."""
    return tuple(_read("hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz"))


def _read(path: str) -> Iterator[dict[str, Any]]:
    with tarfile.open(shared(path)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file:
                resource = json.load(file, parse_float=Decimal)
                if "resourceType" in resource:
                    yield resource


def _parameters(type: str) -> list[SearchParameter]:
    return [p for p in for_type(type).values() if p.kind in _INDEXED and p.expression]


@pytest.mark.parametrize("type", resource_types())
def test_every_parameter_selects_elements_that_its_kind_can_index(type: str) -> None:
    indexer = Indexer(Hasher(b"key"))

    for parameter in _parameters(type):
        found = leaves(parameter)
        sinks = [indexer.sink(parameter, leaf) for leaf in found]

        assert found, parameter.code
        assert any(sinks) or reference_paths(parameter), parameter.code


def test_examples_are_indexed_and_found_by_their_own_values(database_url: str) -> None:
    unique = {(each["resourceType"], each["id"]): each for each in examples() if "id" in each}

    with indexed(database_url) as record:
        record.load(unique.values())

        assert len(examples()) == 452
        for request, expected in _FINDS.items():
            assert expected in record.ids(request), request


def test_extraction_agrees_with_another_fhirpath_engine() -> None:
    compared, different = 0, []
    for resource in examples():
        found = _extracted(resource)
        plain = json.loads(json.dumps(resource, default=float))
        for parameter in _parameters(resource["resourceType"]):
            expected = _evaluated(parameter, plain)
            compared += 1
            if expected != found.get(parameter.param_id, set()):
                different.append((resource["resourceType"], resource.get("id"), parameter.code))

    assert different == []
    assert compared > 9_000


def test_component_expressions_can_be_read_but_for_two_that_name_the_resource() -> None:
    unreadable = []
    for type in resource_types():
        for parameter in for_type(type).values():
            for component in parameter.components:
                if "%resource" in component.expression:
                    unreadable.append(f"{type}.{parameter.code}")
                else:
                    read_expression(component.expression)

    assert sorted(set(unreadable)) == [
        "MolecularSequence.chromosome-variant-coordinate",
        "MolecularSequence.referenceseqid-variant-coordinate",
    ]


class _Recorded(list[tuple[int, Any]]):
    """Values of elements are kept with all others."""

    def part(self) -> "_Recorded":
        return self

    apart = part


def _extracted(resource: dict[str, Any]) -> dict[int, set[str]]:
    rows = _Recorded()
    _recorder(resource["resourceType"])(resource, rows)
    found: dict[int, set[str]] = {}
    for param, value in rows:
        found.setdefault(param, set()).add(_text(value))
    return found


@cache
def _recorder(type: str) -> Extractor:
    def sink_for(_: SearchParameter, __: Leaf) -> Sink:
        return lambda params, value, rows: rows.extend((param, value) for param in params)

    return compile_extractor(_parameters(type), sink_for)


def _evaluated(parameter: SearchParameter, resource: dict[str, Any]) -> set[str]:
    return {_text(value) for value in _oracle(parameter.expression)(resource, {})}


@cache
def _oracle(expression: str) -> Any:
    # The other engine resolves nothing, and refuses `as` on several items, which R4's own
    # expressions rely on.
    expression = re.sub(r"\.where\(resolve\(\) is \w+\)", "", expression)
    expression = re.sub(r"\(([\w.]+) as (\w+)\)", r"\1.ofType(\2)", expression)
    return fhirpathpy.compile(expression, models["r4"])


def _text(value: Any) -> str:
    if isinstance(value, (Decimal, float, int)) and not isinstance(value, bool):
        return repr(float(value))
    return json.dumps(value, sort_keys=True, default=float)
