"""The reference validator's R4 cases that need neither profile nor terminology server.

Valid cases are accepted; invalid ones are refused, at a place where the reference validator has an
error too. What we judge otherwise stands below by name, with the reason.
"""

import json
import re
import tarfile
from functools import cache
from typing import Any

import pytest

from fhir_profiles import xml_format
from fhir_profiles.issues import InvalidDocument, Issue
from fhir_profiles.json_format import parse
from fhir_profiles.validator import validate
from tests.shared_data import shared, shared_folder

ARCHIVE = "fhir-test-cases/validator-r4.tar.gz"

ACCEPTED_THOUGH_INVALID = {
    "bundle-document-versioned-references-bad": "document references are resolved by the profiles",
    "bad-bundle-reference-type-4": "references between entries are not resolved yet",
    "message": "urn:uuid links in narratives: a transaction must accept and rewrite them",
    "mr-covid-bnd1": "Coding.system as an absolute or code-system URL is a terminology rule",
    "pat-security-bad-string": "an option of the reference validator; text is escaped on output",
    "pat-security-bad-string1": "an option of the reference validator; text is escaped on output",
    "bundle-id-5": "display texts need a terminology server",
    "bad-markdown-no-html": "an option of the reference validator; text is escaped on output",
    "ips-nz-pj": "display texts need a terminology server",
}
REFUSED_THOUGH_VALID = {
    "list-bad-reference": "an option trusts XXX/_history/1; no server can resolve it",
    "contained-resource-bad-id-ignore": "an option ignores contained resources; same file as an "
    "invalid case",
}
# The reference validator prints a parser's path, or counts entries otherwise.
OTHER_PLACE = {
    "japanese-utf8-ok": "",
    "pat-security-bad-string2": "Patient.name[0].text",
    "capabilitystatement-measure-processor": "CapabilityStatement",
    "xml-fail": "Bundle",
    "xml-bad-entities": "",
    "attachment-tx": "Parameters.parameter[0].value.ofType(Attachment).data",
    "relative_reference_to_fullUrl.id_in_Composition": "Bundle.entry[1]",
    "bad-json-close": "",
    "bad-json-close-2": "",
    "bad-json-close-3": "",
}


@cache
def _archive() -> dict[str, bytes]:
    with tarfile.open(shared(ARCHIVE)) as archive:
        contents = {one.name: archive.extractfile(one) for one in archive if one.isfile()}
        return {name: file.read() for name, file in contents.items() if file is not None}


def _cases() -> list[Any]:
    if not shared_folder().is_dir():
        return [pytest.param(None, id="the reference data folder is missing")]
    cases = json.loads(_archive()["cases.json"])
    return [pytest.param(one, id=one["name"]) for one in cases if one.get("baseOnly")]


@pytest.mark.parametrize("case", _cases())
def test_validator_case(case: dict[str, Any] | None) -> None:
    if case is None:
        shared(ARCHIVE)
        return
    name, issues = case["name"], _issues(case["file"])

    if name in REFUSED_THOUGH_VALID:
        assert issues
    elif case["expected"]["valid"] or name in ACCEPTED_THOUGH_INVALID:
        assert issues == []
    elif name in OTHER_PLACE:
        assert OTHER_PLACE[name] in {one.expression for one in issues}
    else:
        assert {one.expression for one in issues} & _reference_places(case["outcome"])


def test_exceptions_name_real_cases() -> None:
    names = {one.id for one in _cases()}
    if shared_folder().is_dir():
        assert names >= {*ACCEPTED_THOUGH_INVALID, *REFUSED_THOUGH_VALID, *OTHER_PLACE}


def _issues(file: str) -> list[Issue]:
    content = _archive()[f"files/{file}"]
    documents = [content]
    if file.endswith(".ndjson"):
        documents = [line for line in content.splitlines() if line.strip()]
    read = xml_format.parse if file.endswith(".xml") else parse
    try:
        return [issue for one in documents for issue in validate(read(one))]
    except InvalidDocument as refused:
        return list(refused.issues)


def _reference_places(outcome: str) -> set[str]:
    issues = json.loads(_archive()[outcome])["issue"]
    places = [
        place
        for one in issues
        if one["severity"] in ("error", "fatal")
        for place in one.get("expression", ())
    ]
    # The reference validator puts /*Patient/1*/ behind the resource in an entry.
    return {re.sub(r"/\*.*?\*/", "", place).rstrip(".") for place in places}
