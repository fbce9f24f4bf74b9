"""Primitive members of an object and the `_name` member beside them (FHIR R4 §2.6.2.2)."""

from typing import Any

from fhir_profiles.definitions import Field
from fhir_profiles.narrative import narrative_fault
from fhir_profiles.primitives import CHECKS, WANTED, is_uri
from fhir_profiles.validator.bindings import bound_codes, choices_text
from fhir_profiles.validator.findings import Findings, json_kind

_JSON_KINDS = {
    "boolean": "true or false",
    "decimal": "a number",
    "integer": "a number",
    "positiveInt": "a number",
    "unsignedInt": "a number",
}


def check_primitive_member(
    member: Any, companion: Any, field: Field, path: str, findings: Findings
) -> None:
    """Check the value or values of a primitive element; `companion` is its `_name` member."""
    if not field.many:
        _check_value(member, field, path, findings)
        return
    if not isinstance(member, list):
        findings.add("structure", f"An array is wanted here, not {json_kind(member)}.", path)
        return
    if not member:
        findings.add("structure", "The array is empty. Leave the element out instead.", path)
    for index, one in enumerate(member):
        if one is None and _stands_in(companion, index):
            continue
        _check_value(one, field, f"{path}[{index}]", findings)


def check_companion(
    member: Any, value: Any, field: Field, path: str, findings: Findings
) -> list[tuple[str, dict[str, Any]]]:
    """Check the shape of a `_name` member; return its elements with their locations."""
    if not field.many:
        has_value = value is not None
        return [(path, member)] if _is_element(member, has_value, path, findings) else []
    if not isinstance(member, list):
        findings.add("structure", f"_{field.name} must be an array, not {json_kind(member)}.", path)
        return []
    values = value if isinstance(value, list) else []
    if not member or all(one is None for one in member):
        findings.add("structure", f"_{field.name} says nothing. Leave it out.", path)
    if values and len(values) != len(member):
        findings.add(
            "structure",
            f"{field.name} and _{field.name} must be equally long; fill gaps with null.",
            path,
        )
    elements = []
    for index, one in enumerate(member):
        has_value = index < len(values) and values[index] is not None
        where = f"{path}[{index}]"
        if one is None and (has_value or index < len(values)):
            continue  # Two nulls were noted with the values.
        if _is_element(one, has_value, where, findings):
            elements.append((where, one))
    return elements


def _check_value(value: Any, field: Field, path: str, findings: Findings) -> None:
    if value is None:
        findings.add("structure", "null is not a value. Leave the element out instead.", path)
        return
    wanted_kind = _JSON_KINDS.get(field.type, "a string")
    if json_kind(value) != wanted_kind:
        findings.add(
            "structure",
            f"Wanted: {WANTED[field.type]}; this is {json_kind(value)}.",
            path,
        )
        return
    if field.name == "id" and field.xml == "attribute":
        _check_element_id(value, path, findings)
        return
    allowed = bound_codes(field)
    if allowed is not None:
        if value not in allowed:
            findings.add("code-invalid", f"The code must be from {choices_text(field)}.", path)
    elif not CHECKS[field.type](value):
        _add_format_fault(value, field, path, findings)


def _add_format_fault(value: Any, field: Field, path: str, findings: Findings) -> None:
    if field.type == "xhtml" and value:
        fault = narrative_fault(value)
        if "(txt-2)" in fault:
            findings.add_tolerable("invariant", fault, path)
        else:
            findings.add("invariant" if "(txt-1)" in fault else "value", fault, path)
        return
    findings.add("value", f"This is not a valid {field.type}. Wanted: {WANTED[field.type]}.", path)


def _check_element_id(value: Any, path: str, findings: Findings) -> None:
    if is_uri(value):
        findings.ids.append((path.removesuffix(".id"), value))
        return
    findings.add("value", "An element's id is text without white space.", path)


def _stands_in(companion: Any, index: int) -> bool:
    if not isinstance(companion, list) or index >= len(companion):
        return False
    return isinstance(companion[index], dict)


def _is_element(member: Any, has_value: bool, path: str, findings: Findings) -> bool:
    if not isinstance(member, dict):
        findings.add(
            "structure", f"Beside a primitive stands an object, not {json_kind(member)}.", path
        )
        return False
    if not member:
        findings.add("structure", "The object is empty. Leave the element out instead.", path)
        return False
    if not has_value and set(member) == {"id"}:
        findings.add("invariant", "An element must have a value or children (ele-1).", path)
    return True
