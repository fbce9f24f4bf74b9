"""FHIR R4 §2.6.1 on published resources: JSON to XML and back, and XML beside its JSON."""

import re
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from fhir_profiles import json_format, xml_format
from fhir_profiles.issues import InvalidDocument
from tests.shared_data import shared

EXAMPLES = "hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz"
# Published with elements out of order, which R4 forbids.
DISORDERED = {
    "Extension-UKCore-CodingSCT-IllicitDrugs-Example.xml",
    "UKCore-Observation-Lab-Albumin-Example.xml",
}


def test_json_examples_come_back_from_xml() -> None:
    count = 0
    for name, data in _members(EXAMPLES, ".json"):
        resource = json_format.parse(data)
        if "resourceType" not in resource:
            continue
        count += 1
        for pretty in (False, True):
            returned = xml_format.parse(xml_format.serialise(resource, pretty=pretty))
            assert _spelt(returned) == _spelt(resource), name
    assert count == 452


@pytest.mark.parametrize(
    "archive", ["uk/ukcore-examples.tar.gz", "careplan-mcc/hl7-us-mcc-examples.tar.gz"]
)
def test_xml_examples_equal_their_json(archive: str) -> None:
    converted = {
        re.sub(r".*converted-json/", "", name).removesuffix(".json"): data
        for name, data in _members(archive, ".json")
    }
    count = 0
    for name, data in _members(archive, ".xml"):
        if name.rpartition("/")[2] in DISORDERED:
            with pytest.raises(InvalidDocument, match="must stand before"):
                xml_format.parse(data)
            continue
        resource = xml_format.parse(data)
        assert xml_format.parse(xml_format.serialise(resource)) == resource, name
        expected = json_format.parse(converted[name.removesuffix(".xml")])
        assert _comparable(resource) == _comparable(expected), name
        count += 1
    assert count >= 34


def test_base_validator_cases_in_xml_parse_or_are_refused_with_a_place() -> None:
    refused = set()
    placed = True
    for name, data in _members("fhir-test-cases/validator-r4.tar.gz", ".xml"):
        try:
            resource = xml_format.parse(data)
        except InvalidDocument as error:
            refused.add(name.rpartition("/")[2])
            if not error.malformed:
                placed &= all(issue.expression for issue in error.issues)
        else:
            assert xml_format.parse(xml_format.serialise(resource)) == resource, name
    assert placed
    # Unknown or misplaced elements, empty attributes, text between elements, entities, encoding.
    assert refused == {
        "capabilitystatement-measure-processor.xml",
        "japanese-utf8-ok.xml",
        "pat-security-bad-string2.xml",
        "patient-extension-bad2.xml",
        "patient-id-only.xml",
        "patient-min-length-profile.xml",
        "q-enablewhen-2.xml",
        "uuid-ext.xml",
        "xml-bad-entities.xml",
        "xml-fail.xml",
    }


def _members(archive: str, suffix: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(shared(archive)) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.name.endswith(suffix) else None
            if content is not None:
                yield member.name, content.read()


def _spelt(value: Any) -> Any:
    """Return the value with numbers as text: 1.0 is not 1.00."""
    if isinstance(value, dict):
        return {name: _spelt(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_spelt(item) for item in value]
    return value if isinstance(value, str | bool) or value is None else (str(value),)


def _comparable(value: Any) -> Any:
    """Return the value with narratives in canonical form: the converter writes them anew."""
    if isinstance(value, dict):
        return {
            name: _words(member) if name == "div" else _comparable(member)
            for name, member in value.items()
        }
    return [_comparable(item) for item in value] if isinstance(value, list) else value


def _words(div: str) -> list[str]:
    root = etree.fromstring(div)
    return [str(root.tag), *" ".join(str(text) for text in root.itertext(etree.Element)).split()]
