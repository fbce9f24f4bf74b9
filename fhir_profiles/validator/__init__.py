"""Base validation of R4 resources: every issue, each with its FHIRPath location (FHIR R4 §2.1).

Checks structure, cardinality, types, choices, primitive formats, required bindings, reference
targets, contained resources, narratives and the Bundle rules that need no profile. Two phases: a
compiled accept path (`accept`) that says yes to a sound resource in microseconds, and a walker
(`walk`) that lists every issue of the others. Locations and the division of labour between parent
and child follow the HL7 reference validator: a missing or unknown element is reported at its
parent, a choice as `Observation.value.ofType(Quantity)`. Other FHIRPath invariants, profiles and
terminology beyond the core's enumerable value sets are not checked here.
"""

from typing import Any

from fhir_profiles.issues import Issue
from fhir_profiles.validator.accept import accepts
from fhir_profiles.validator.walk import walk_resource

__all__ = ["validate", "validate_as"]


def validate(
    resource: Any, *, expression: str | None = None, tolerant: bool = False
) -> list[Issue]:
    """Return all issues of a resource; `expression` is where it stands when it is part of more.

    All are errors, unless `tolerant` makes warnings of three faults that HL7's own examples have:
    reference targets of a wrong type, narratives without text, fullUrls that disagree with the id.
    """
    if accepts(resource):
        return []
    return walk_resource(resource, expression, tolerant=tolerant)


def validate_as(
    resource: Any, type_name: str, *, expression: str | None = None, tolerant: bool = False
) -> list[Issue]:
    """Return all issues of a resource that must be of the given type."""
    actual = resource.get("resourceType") if isinstance(resource, dict) else None
    if isinstance(actual, str) and actual != type_name:
        where = expression or type_name
        text = f"A {type_name} is wanted here. Send one, or use the address of the type you have."
        return [Issue("invalid", text, where)]
    return validate(resource, expression=expression, tolerant=tolerant)
