"""HL7's FHIRPath cases for R4, all of them: results, syntax errors, strict and run-time errors."""

import json
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.fhirpath import FhirPathError, Node, compile
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import quantity_of
from tests.shared_data import shared

FOLDER = "fhir-test-cases/fhirpath"
# Name -> why our answer differs.
DIFFERENT: dict[str, str] = {}


def _cases() -> list[Any]:
    cases = json.loads(shared(f"{FOLDER}/fhirpath-r4-cases.json").read_bytes())
    return [
        pytest.param(case, id=f"{case['group']}-{case['name']}")
        for case in cases
        if case["name"] not in DIFFERENT
    ]


def _input(case: dict[str, Any]) -> Any:
    name = case["inputfile"]
    if name is None:
        return {}
    path = shared(f"{FOLDER}/input/{name.replace('.xml', '.json')}")
    return json.loads(path.read_bytes(), parse_float=Decimal)


@pytest.mark.parametrize("case", _cases())
def test_an_expression_gives_the_official_result(case: dict[str, Any]) -> None:
    resource = _input(case)

    if "invalid" in case:
        with pytest.raises(FhirPathError):
            _evaluate_strictly(case["expression"], resource)
        return
    found = compile(case["expression"]).nodes(resource)

    if case.get("predicate") == "true":
        found = [bool(found)]
    wanted = [_read(output["value"]) for output in case["outputs"]]
    assert [_shown(item) for item in found] == wanted
    for item, output in zip(found, case["outputs"], strict=True):
        if isinstance(item, Node) and item.type and output["type"]:
            assert item.type == output["type"]


def _evaluate_strictly(expression: str, resource: Any) -> None:
    compiled = compile(expression)
    compiled.check(resource.get("resourceType", ""))
    compiled.nodes(resource)


def _shown(item: Any) -> Any:
    value = quantity_of(item)
    if isinstance(value, Node):
        return value.value
    if isinstance(value, Temporal):
        return f"@{'T' if value.kind == 'Time' else ''}{value}"
    if isinstance(value, bool):
        return str(value).lower()
    return Decimal(value) if isinstance(value, int) else _read(str(value))


def _read(text: str) -> Any:
    """Numbers compare by value: the cases write them with any number of zeros."""
    return Decimal(text) if text.replace(".", "", 1).removeprefix("-").isdecimal() else text
