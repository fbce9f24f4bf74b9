"""Element tables: one list of rows per R4 type, from the snapshots of the base definitions.

A row is [path below the type, min, max, types, flags, binding, content reference, constraints].
The constraints that every element has by its own type (`ele-1`, `ext-1`) are left out of the rows.
"""

from collections.abc import Mapping
from typing import Any

from fhir_profiles.condense.definitions_package import Package, Resource

PREFIX = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
EVERYWHERE = ("ele-1", "ext-1")
# A target profile that says "any resource": the condensed list of targets is empty then.
ANY = ("Resource", "DomainResource", "MetadataResource")


def condense_structures(package: Package) -> dict[str, Any]:
    """Return `types`: every resource, data and primitive type with its element rows."""
    definitions = {
        each["id"]: each for each in package.of_type("StructureDefinition") if _is_base(each)
    }
    profiles = {
        each["url"]: _root_constraints(each)
        for each in package.of_type("StructureDefinition")
        if each["id"] in ("SimpleQuantity", "MoneyQuantity")
    }
    return {"types": {name: _type(each, profiles) for name, each in definitions.items()}}


def _is_base(definition: Resource) -> bool:
    return definition.get("derivation") != "constraint" and definition["kind"] != "logical"


def _root_constraints(definition: Resource) -> list[list[str]]:
    """Return what a quantity profile adds, such as sqty-1 of SimpleQuantity."""
    rules = definition["snapshot"]["element"][0]["constraint"]
    return [_constraint(each) for each in rules if each["key"].endswith("qty-1")]


def _type(definition: Resource, profiles: Mapping[str, list[list[str]]]) -> list[Any]:
    root, *elements = definition["snapshot"]["element"]
    base = definition.get("baseDefinition", "").removeprefix(PREFIX)
    return [
        definition["kind"],
        base,
        definition["abstract"],
        [_constraint(each) for each in root.get("constraint", ())],
        [_row(definition, each, profiles) for each in elements if each["max"] != "0"],
    ]


def _row(
    definition: Resource, element: Resource, profiles: Mapping[str, list[list[str]]]
) -> list[Any]:
    types = [_type_of(definition, element, each) for each in element.get("type", ())]
    rules = [each for each in element.get("constraint", ()) if each["key"] not in EVERYWHERE]
    profiled = [
        rule
        for each in element.get("type", ())
        for url in each.get("profile", ())
        for rule in profiles.get(url, ())
    ]
    return [
        element["path"].removeprefix(definition["id"] + "."),
        element["min"],
        element["max"],
        types,
        _flags(element),
        _binding(element),
        element.get("contentReference", "").removeprefix("#"),
        [_constraint(each) for each in rules] + profiled,
    ]


def _type_of(definition: Resource, element: Resource, declared: Resource) -> list[Any]:
    code = declared["code"]
    if code.startswith(SYSTEM_TYPE):
        code = _fhir_type(definition, element)
    targets = sorted(each.removeprefix(PREFIX) for each in declared.get("targetProfile", ()))
    return [code, [] if any(each in ANY for each in targets) else targets]


def _fhir_type(definition: Resource, element: Resource) -> str:
    """Name the FHIR type behind a FHIRPath system type; R4 gives `string` for Resource.id."""
    name, kind = definition["id"], definition["kind"]
    if kind == "resource" and element["path"].count(".") == 1:
        return "id"
    if name == "Extension" and element["path"] == "Extension.url":
        return "uri"
    is_value = kind == "primitive-type" and element["path"] == f"{name}.value"
    return str(name) if is_value else "string"


def _flags(element: Resource) -> str:
    representation = element.get("representation", ())
    flags = {
        "S": element.get("isSummary", False),
        "M": element.get("isModifier", False),
        "A": "xmlAttr" in representation,
        "H": "xhtml" in representation or [t["code"] for t in element.get("type", ())] == ["xhtml"],
    }
    return "".join(flag for flag, is_set in flags.items() if is_set)


def _binding(element: Resource) -> list[str]:
    binding = element.get("binding", {})
    return [binding["strength"], binding["valueSet"]] if "valueSet" in binding else []


def _constraint(rule: Resource) -> list[str]:
    return [rule["key"], rule["severity"], rule["expression"], rule["human"]]
