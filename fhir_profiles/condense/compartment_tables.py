"""Compartments: per compartment and resource type the search parameters that put a row in it."""

from typing import Any

from fhir_profiles.condense.definitions_package import Package, Resource


def condense_compartments(package: Package) -> dict[str, Any]:
    """Return compartment -> type -> parameter codes; types that never belong are left out."""
    return {
        each["code"]: {
            entry["code"]: _codes(each["code"], entry)
            for entry in each["resource"]
            if entry.get("param")
        }
        for each in package.of_type("CompartmentDefinition")
        # The package also has one example, which is not part of the standard.
        if each["url"] == f"http://hl7.org/fhir/CompartmentDefinition/{each['code'].lower()}"
    }


def _codes(compartment: str, entry: Resource) -> list[str]:
    """Return the parameter codes; the focal resource is itself in, though Patient's row omits it."""
    codes: list[str] = entry["param"]
    is_focal = entry["code"] == compartment
    return ["{def}", *codes] if is_focal and "{def}" not in codes else codes
