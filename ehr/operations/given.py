"""What an operation was given: query parameters and those of a Parameters body (R4 §3.2.0)."""

from collections.abc import Collection
from typing import Any

from ehr.errors import PASSED_OVER, Invalid
from ehr.messages import Interaction, Params, Resource
from fhir_profiles import json_format

# Shape the answer at the edge, and mean nothing to an operation.
_SHAPING = ("_summary", "_elements")


def parameters(interaction: Interaction) -> list[Resource]:
    """Return the parameters of the body, which is a Parameters resource or absent."""
    resource: Any = interaction.document.resource if interaction.document else None
    if resource is None:
        return []
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise Invalid(
            f"${interaction.operation} takes a Parameters resource as body.", code="structure"
        )
    return named(resource)


def named(resource: Resource) -> list[Resource]:
    """Return the parameters of a Parameters resource. Raises Invalid where it is none."""
    found = resource.get("parameter", [])
    if not isinstance(found, list):
        raise Invalid(
            "Parameters.parameter is no list.", code="structure", expression="Parameters.parameter"
        )
    for number, one in enumerate(found):
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise Invalid(
                "Every parameter needs a name.",
                code="required",
                expression=f"Parameters.parameter[{number}]",
            )
    return found


def texts(interaction: Interaction, known: Collection[str]) -> Params:
    """Return all parameters as names and texts: the query's, then the body's.

    Raises Invalid for names that are not known, unless the caller asked for lenient handling.
    """
    pairs = list(interaction.params)
    pairs += [(one["name"], _text(one)) for one in parameters(interaction)]
    for name, _ in pairs:
        if name not in known and name not in _SHAPING and not interaction.preferences.lenient:
            raise Invalid(
                f"`{name[:80]}` is no parameter of ${interaction.operation}. Possible: "
                f"{', '.join(sorted(known))}. {PASSED_OVER}",
                code="not-supported",
                expression=name[:80],
            )
    return tuple(pair for pair in pairs if pair[0] in known or pair[0] in _SHAPING)


def single(pairs: Params, name: str) -> str | None:
    """Return the one value of a parameter, or None. Raises Invalid where it comes twice."""
    values = [value for found, value in pairs if found == name]
    if len(values) > 1:
        raise Invalid(f"`{name}` is given twice. Send it once.", expression=name)
    return values[0] if values else None


def _text(parameter: Resource) -> str:
    value = next((value for key, value in parameter.items() if key.startswith("value")), None)
    if value is None or isinstance(value, dict | list):
        name = parameter["name"]
        raise Invalid(
            f"`{name[:80]}` needs a simple value, such as valueString.",
            code="value",
            expression=f"Parameters.parameter.where(name = '{name[:80]}')",
        )
    return value if isinstance(value, str) else json_format.serialise(value).decode()


def returned(value: Resource) -> bytes:
    """Return a Parameters resource with the one result of an operation, a Meta."""
    result: Resource = {"resourceType": "Parameters"}
    if value:  # FHIR has no empty object
        result["parameter"] = [{"name": "return", "valueMeta": value}]
    return json_format.serialise(result)
