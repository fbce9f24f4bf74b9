"""Operations: code, levels, types and the shape of their parameters."""

from typing import Any

from fhir_profiles.condense.definitions_package import Package, Resource

_KEPT = ("name", "use", "min", "max", "type", "searchType", "targetProfile")


def condense_operations(package: Package) -> dict[str, Any]:
    """Return `operations` by URL, without the example operations."""
    return {
        "operations": {
            each["url"]: {
                "code": each["code"],
                "system": each["system"],
                "type": each["type"],
                "instance": each["instance"],
                "resources": each.get("resource", []),
                "affects_state": each.get("affectsState", False),
                "parameters": [_parameter(item) for item in each.get("parameter", ())],
            }
            for each in package.of_type("OperationDefinition")
            if not each["id"].startswith("example")
        }
    }


def _parameter(parameter: Resource) -> Resource:
    kept = {key: parameter[key] for key in _KEPT if key in parameter}
    if "part" in parameter:
        kept["part"] = [_parameter(each) for each in parameter["part"]]
    return kept
