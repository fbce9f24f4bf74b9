"""HL7's FHIRPath Patch cases and the RFC 6902 cases: every one, and the input stays as it was."""

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from ehr.errors import Unprocessable
from ehr.patches import fhirpath_patch, json_patch
from fhir_profiles import xml_format
from tests.shared_data import shared


def _cases(file: str, name: str) -> list[Any]:
    text = shared(f"fhir-test-cases/patch/{file}").read_text("utf-8")
    cases = json.loads(text, parse_float=Decimal)
    return [pytest.param(case, id=case[name]) for case in cases]


@pytest.mark.parametrize("case", _cases("fhirpath-patch-cases.json", "name"))
def test_fhirpath_patch(case: dict[str, Any]) -> None:
    resource = deepcopy(case["input"])

    if "output" in case:
        assert fhirpath_patch.apply(resource, case["diff"]) == case["output"]
    else:
        with pytest.raises(Unprocessable):
            fhirpath_patch.apply(resource, case["diff"])

    assert resource == case["input"]


@pytest.mark.parametrize("case", _cases("fhirpath-patch-cases.json", "name"))
def test_fhirpath_patch_from_xml(case: dict[str, Any]) -> None:
    resource = xml_format.parse(case["inputXml"].encode())
    patch = xml_format.parse(case["diffXml"].encode())

    if "outputXml" in case:
        patched = fhirpath_patch.apply(resource, patch)
        assert patched == xml_format.parse(case["outputXml"].encode())
    else:
        with pytest.raises(Unprocessable):
            fhirpath_patch.apply(resource, patch)


@pytest.mark.parametrize("case", _cases("json-patch-rfc6902-cases.json", "comment"))
def test_json_patch(case: dict[str, Any]) -> None:
    document = deepcopy(case["doc"])

    if "expected" in case:
        assert json_patch.apply(document, case["patch"]) == case["expected"]
    else:
        with pytest.raises(Unprocessable):
            json_patch.apply(document, case["patch"])

    assert document == case["doc"]
