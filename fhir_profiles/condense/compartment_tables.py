"""Compartments: per compartment and resource type the search parameters that put a row in it."""

from typing import Any

from fhir_profiles.condense.definitions_package import Package, Resource


def condense_compartments(package: Package) -> dict[str, Any]:
    """Return compartment -> type -> parameter codes; types that never belong are left out."""
    return {
        each["code"]: dict(_entries(each))
        for each in package.of_type("CompartmentDefinition")
        if each["id"] != "example"
    }


def _entries(compartment: Resource) -> list[tuple[str, list[str]]]:
    """Return (type, codes); the focal resource is in its own, though not every row says so."""
    focal = compartment["code"]
    entries = []
    for each in compartment["resource"]:
        codes = [code for code in each.get("param", ()) if code != "{def}"]
        if each["code"] == focal:
            codes = ["{def}", *codes]
        if codes:
            entries.append((each["code"], codes))
    return entries
