"""The committed R4 data against their sources: the official package, schema and derived lists."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from fhir_profiles.condense.__main__ import TARGET, condensed_files, main
from fhir_profiles.definitions import coded, resource_types, type_definition, type_names
from fhir_profiles.search_parameters import for_type
from tests.shared_data import shared

PACKAGE = "r4-definitions/hl7.fhir.r4.core-4.0.1.tgz"


def test_committed_data_are_rebuilt_from_the_package_byte_for_byte() -> None:
    rebuilt = condensed_files(shared(PACKAGE).read_bytes())

    committed = {path.name: path.read_bytes() for path in TARGET.iterdir()}
    assert sorted(rebuilt) == sorted(committed)
    # Unpacked, because another zstd may pack the same text otherwise.
    assert [each for each in rebuilt if _text(rebuilt[each]) != _text(committed[each])] == []


def test_manifest_has_the_hashes_of_the_files() -> None:
    manifest = json.loads((TARGET / "MANIFEST.json").read_text())

    for name, about in manifest["files"].items():
        text = _text((TARGET / name).read_bytes())
        assert about["json_sha256"] == hashlib.sha256(text).hexdigest()


def test_committed_data_stay_small() -> None:
    assert sum(path.stat().st_size for path in TARGET.iterdir()) < 3_000_000


def test_manifest_names_package_and_files() -> None:
    manifest = json.loads((TARGET / "MANIFEST.json").read_text())

    assert (manifest["package"], manifest["version"]) == ("hl7.fhir.r4.core", "4.0.1")
    assert manifest["license"] == "CC0-1.0"
    assert manifest["counts"]["SearchParameter"] == 1400
    assert {*manifest["files"], "MANIFEST.json"} == {path.name for path in TARGET.iterdir()}


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["no-such-file.tgz"]])
def test_command_refuses_wrong_arguments(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err


def test_value_sets_of_required_bindings() -> None:
    known = _read(shared("r4-definitions/required-bindings.json.gz"))

    for url, systems in known["requiredValueSets"].items():
        assert coded(url) == {(each, code) for each in systems for code in systems[each]}, url
    assert [coded(url) for url in known["requiredNotEnumerable"]] == [None] * 4


def test_every_known_binding_stands_on_its_field() -> None:
    known = _read(shared("r4-definitions/required-bindings.json.gz"))

    for each in known["bindings"]:
        owner, _, element = each["path"].rpartition(".")
        if owner.partition(".")[0] not in type_names():
            continue  # a logical model, or a type's own binding (Age), which no field can carry
        fields = [f for f in type_definition(owner).fields.values() if f.element == element]
        bound = {(f.binding.strength, f.binding.value_set) for f in fields if f.binding}
        assert bound == {(each["strength"], each["valueSet"])}, each["path"]


def test_fields_are_those_of_the_official_json_schema() -> None:
    schema = _read(shared("r4-definitions/fhir.schema-r4.json.gz"))["definitions"]

    for name in resource_types():
        _compare(name, name, schema)


def test_search_parameters_of_the_package_are_all_there() -> None:
    lines = gzip.decompress(shared("r4-definitions/search-parameters.ndjson.gz").read_bytes())
    published = [json.loads(line) for line in lines.splitlines()]

    left_out = {
        each["url"].rpartition("/")[2]
        for each in published
        for name in each.get("base", ())
        if name in resource_types() and _missing(each, name)
    }
    assert left_out == {
        "example-extension",
        "example-reference",
        # Neither has an expression, so neither can be searched.
        "patient-extensions-Patient-age",
        "patient-extensions-Patient-birthOrderBoolean",
    }


def _missing(published: dict[str, Any], name: str) -> bool:
    found = for_type(name).get(published["code"])
    return found is None or found.url != published["url"]


def _compare(name: str, schema_name: str, schema: dict[str, Any]) -> None:
    properties = set(schema[schema_name]["properties"])
    if name == schema_name:
        properties.remove("resourceType")  # ExampleScenario.instance has an element of that name
    definition = type_definition(name)
    primitives = {f"_{each.name}" for each in definition.fields.values() if each.primitive}
    assert {each for each in properties if each[0] != "_"} == set(definition.fields), name
    # The schema forgets the extensions of canonical elements.
    assert {each for each in properties if each[0] == "_"} <= primitives, name
    for field in definition.fields.values():
        if field.type == field.path:
            inner = schema[schema_name]["properties"][field.name]
            reference = inner.get("$ref") or inner["items"]["$ref"]
            _compare(field.type, reference.rpartition("/")[2], schema)


def _text(content: bytes) -> bytes:
    is_packed = content[:4] == zstandard.MAGIC_NUMBER.to_bytes(4, "little")
    return zstandard.decompress(content) if is_packed else content


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return content
