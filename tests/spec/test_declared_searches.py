"""The CapabilityStatement keeps its word: every parameter and modifier it declares is answered.

Requests are made of what the statement says, on both engines: all parameters of a type at once, and
each modifier once for each kind of element; in the slow tests each by itself.
"""

import gzip
import json
import re
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from fhir_profiles.definitions import resource_types
from fhir_profiles.extraction import leaves
from fhir_profiles.search_parameters import SearchParameter, component_parameter, for_type
from tests.client import Client
from tests.shared_data import shared
from tests.spec.oracle.conditions import Asking, has_value
from tests.spec.oracle.definitions import searchable
from tests.spec.oracle.population import Population
from tests.spec.oracle.search import BASE

_CODES = "http://hl7.org/fhir/administrative-gender"
# Sample values: by kind, then what some modifiers and parameters want instead.
_OF_KIND = {
    "date": "ge2024-02", "number": "5", "quantity": "5.4|http://unitsofmeasure.org|mg",
    "reference": "x", "string": "a", "token": "c", "uri": "http://x.org/a",
}  # fmt: skip
_OF_MODIFIER = {
    "missing": "true", "text": "a", "of-type": "s|c|v", "identifier": "s|v",
    "in": "http://hl7.org/fhir/ValueSet/administrative-gender",
    "not-in": "http://hl7.org/fhir/ValueSet/administrative-gender",
}  # fmt: skip
_OF_CODE = {
    "_id": "x", "_filter": "_id eq x", "_list": "x", "_text": "bone", "_content": "bone",
    "near": "1|1|10|km", "outcome": "0",
}  # fmt: skip
# Elements that people write in, some of which nearly every resource has.
_WORDED = {"div", "text", "display", "name", "title", "description", "value", "valueString"}
# Official parameters that say of no type what they search: no base, or no expression.
_WITHOUT_USE = {
    "codesystem-extensions-CodeSystem-author", "codesystem-extensions-CodeSystem-effective",
    "codesystem-extensions-CodeSystem-end", "codesystem-extensions-CodeSystem-keyword",
    "codesystem-extensions-CodeSystem-workflow", "patient-extensions-Patient-age",
    "patient-extensions-Patient-birthOrderBoolean", "Resource-query",
    "valueset-extensions-ValueSet-author", "valueset-extensions-ValueSet-effective",
    "valueset-extensions-ValueSet-end", "valueset-extensions-ValueSet-keyword",
    "valueset-extensions-ValueSet-workflow",
}  # fmt: skip
# Of AuditEvents what the rows of the trail have is asked for, which says nothing of these apart.
_NOT_OF_THE_TRAIL = {
    "AuditEvent-address", "AuditEvent-agent-name", "AuditEvent-agent-role", "AuditEvent-altid",
    "AuditEvent-entity-name", "AuditEvent-entity-role", "AuditEvent-entity-type",
    "AuditEvent-policy", "AuditEvent-site",
}  # fmt: skip


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none"}


def declared(client: Client) -> Iterator[tuple[str, str, str]]:
    """Yield type, name and value of every condition that the statement promises to understand."""
    for resource in client.read("metadata")["rest"][0]["resource"]:
        for entry in resource["searchParam"]:
            yield from _conditions(resource["type"], entry)


def _conditions(type: str, entry: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    name = entry["name"]
    if name == "_has":
        # A List may have anything but Parameters.
        source = "DiagnosticReport:assessed-condition" if type == "Parameters" else "List:item"
        yield type, f"_has:{source}:_id", "x"
        return
    parameter = for_type(type).get(name)
    yield type, name, _plain(parameter, name)
    for modifier in re.findall(r":([\w\[\]-]+)", entry.get("documentation", "")):
        assert parameter is not None
        if modifier == "[Type]":
            target = (parameter.targets or ("Patient",))[0]
            yield type, f"{name}:{target}", "x"
        else:
            yield type, f"{name}:{modifier}", _modified(parameter, modifier)


def _plain(parameter: SearchParameter | None, name: str) -> str:
    if name in _OF_CODE or parameter is None:
        return _OF_CODE[name]
    if parameter.kind == "composite":
        parts = (component_parameter(parameter, each) for each in parameter.components)
        return "$".join(_plain(part, part.code) for part in parts)
    return _OF_KIND[parameter.kind]


def _modified(parameter: SearchParameter, modifier: str) -> str:
    if modifier in ("above", "below") and parameter.kind == "token":
        return "text/xml" if "contentType" in parameter.expression else f"{_CODES}|male"
    if modifier == "below" and parameter.kind == "reference":
        return "http://x.org/a|1" if "Reference" not in _element_types(parameter) else "x"
    return _OF_MODIFIER.get(modifier) or _plain(parameter, parameter.code)


def _element_types(parameter: SearchParameter) -> set[str]:
    return {leaf.type for leaf in leaves(parameter)}


def ask(client: Client, type: str, conditions: list[tuple[str, str]]) -> None:
    """Search by these conditions; the answer must have understood each of them."""
    query = "&".join(f"{quote(name, safe=':')}={quote(value)}" for name, value in conditions)
    response = client.get(f"{type}?{query}&_summary=count")

    assert response.status_code == 200, (type, query, response.get_data(as_text=True)[:800])
    (own,) = (link["url"] for link in response.get_json()["link"] if link["relation"] == "self")
    understood = parse_qsl(own.partition("?")[2])
    assert [pair for pair in conditions if pair not in understood] == []


def test_every_declared_parameter_is_answered(client: Client) -> None:
    by_type: dict[str, list[tuple[str, str]]] = {}
    for type, name, value in declared(client):
        if ":" not in name or name.startswith("_has"):
            by_type.setdefault(type, []).append((name, value))

    assert sum(map(len, by_type.values())) > 3_000
    for type, conditions in by_type.items():
        ask(client, type, conditions)


def test_every_modifier_is_answered_for_each_kind_of_element(client: Client) -> None:
    asked = set()
    for type, name, value in declared(client):
        code, _, modifier = name.partition(":")
        parameter = for_type(type).get(code)
        if parameter is None or not modifier:
            continue
        modifier = "[Type]" if modifier[0].isupper() else modifier
        shape = (parameter.kind, modifier, tuple(sorted(_element_types(parameter))))
        if shape not in asked:
            asked.add(shape)
            ask(client, type, [(name, value)])

    assert len(asked) > 70


@pytest.mark.slow
def test_every_declared_parameter_and_modifier_is_answered_by_itself(client: Client) -> None:
    for type, name, value in declared(client):
        ask(client, type, [(name, value)])


@pytest.mark.slow
def test_what_has_a_value_and_what_has_none_are_all(client: Client) -> None:
    """ "all the resources that don't have a value for the … parameter" (§3.1.1.4.4).

    On HL7's own examples, compared with what the oracle selects in them. A parameter of which
    neither is true would hide resources.
    """
    sent: dict[str, dict[str, Any]] = {}
    for data in _examples():
        one = json.loads(data, parse_float=Decimal)
        if one["resourceType"] == "AuditEvent":
            continue  # only ever added, under ids of the record's
        name = f"{one['resourceType']}/{one['id']}"
        sent[name] = one
        assert client.request("PUT", name, data).status_code < 300
    present: set[tuple[str, str]] = set()
    for type, name, _ in declared(client):
        if name.endswith(":missing"):
            total, there, missing = (
                client.read(f"{type}?{query}&_summary=count")["total"]
                for query in ("_sort=_id", f"{name}=false", f"{name}=true")
            )
            assert there + missing == total, (type, name)
            if there:
                present.add((type, name.removesuffix(":missing")))

    assert present == _present(list(sent.values()))


def _present(resources: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return each type and parameter that some resource has a value for."""
    asking = Asking(Population(resources, BASE))
    found: set[tuple[str, str]] = set()
    for item in asking.population.items:
        for parameter in searchable(item.type):
            if parameter.kind != "composite" and (item.type, parameter.code) not in found:
                elements = asking.population.elements(item, parameter)
                if any(has_value(asking, each, parameter) for each in elements):
                    found.add((item.type, parameter.code))
        # Every resource that is stored has one.
        found.add((item.type, "_lastUpdated"))
        found |= {(item.type, code) for code in _by_words(item.resource)}
        if item.resource.get("position", {}).keys() >= {"latitude", "longitude"}:
            found.add((item.type, "near"))
    return found


def _by_words(resource: dict[str, Any]) -> Iterator[str]:
    """Yield what there is to find by words: "the narrative", "the entire content" (§3.1.1.4)."""
    if re.search(r"[^\W_]", re.sub(r"<[^>]*>", " ", resource.get("text", {}).get("div", ""))):
        yield "_text"
    if any(re.search(r"[^\W_]", text) for text in _texts(resource)):
        yield "_content"


def _texts(value: Any) -> Iterator[str]:
    """Yield what people wrote: no addresses, codes or times, which other parameters find."""
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str):
                yield from [member] if name in _WORDED else []
            else:
                yield from _texts(member)


def _examples() -> Iterator[bytes]:
    with tarfile.open(shared("hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz")) as archive:
        for member in archive:
            file = archive.extractfile(member) if "/" in member.name else None
            if file is not None and member.name.endswith(".json"):
                yield file.read()


def test_every_official_parameter_is_declared(client: Client) -> None:
    found = {
        (resource["type"], entry["name"]): entry.get("definition")
        for resource in client.read("metadata")["rest"][0]["resource"]
        for entry in resource["searchParam"]
    }
    text = gzip.decompress(shared("r4-definitions/search-parameters.ndjson.gz").read_bytes())
    official = [json.loads(line) for line in text.splitlines()]

    assert len(official) == 1400
    without_use = {each["id"] for each in official if not _is_declared(each, found)}
    left_out = _WITHOUT_USE | _NOT_OF_THE_TRAIL
    assert {id for id in without_use if not id.startswith("example")} == left_out


def _is_declared(parameter: dict[str, Any], found: dict[tuple[str, str], str]) -> bool:
    bases = set(parameter.get("base") or ["Patient"])
    types = [type for type in resource_types() if bases & {type, "Resource", "DomainResource"}]
    return any(found.get((type, parameter["code"])) == parameter["url"] for type in types)
