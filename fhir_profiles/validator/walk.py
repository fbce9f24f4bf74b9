"""The careful half of validation: walk a resource once and note every issue with its location.

FHIR R4 §2.6.2 (JSON) and §2.1 (elements). Works from the type definitions, so it may be slow; it
runs only for resources that the accept path doubts. Sentences never repeat what the record says.
"""

from difflib import get_close_matches
from typing import Any

from fhir_profiles.definitions import (
    Field,
    TypeDefinition,
    is_resource_type,
    resource_types,
    type_definition,
)
from fhir_profiles.issues import Issue
from fhir_profiles.validator.bindings import bound_concepts, choices_text, concept_fits
from fhir_profiles.validator.bundle import bundle_issues
from fhir_profiles.validator.contained import contained_resource_issues, local_issues
from fhir_profiles.validator.findings import MAX_DEPTH, Findings, json_kind
from fhir_profiles.validator.invariants import broken_invariant
from fhir_profiles.validator.reference_text import reference_fault
from fhir_profiles.validator.values import check_companion, check_primitive_member


def walk_resource(
    resource: Any, expression: str | None = None, *, tolerant: bool = False
) -> list[Issue]:
    """Return all issues of a resource that stands on its own."""
    findings = Findings(tolerant=tolerant)
    _walk_own(resource, expression or _root_name(resource), findings)
    return findings.issues


def _walk_own(resource: Any, path: str, findings: Findings) -> None:
    # A resource with a border of its own: local references and ids don't cross it.
    _walk_resource(resource, path, findings)
    if isinstance(resource, dict):
        findings.extend(local_issues(resource, path, findings.references, findings.ids))


def _root_name(resource: Any) -> str:
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    return name if isinstance(name, str) and is_resource_type(name) else "Resource"


def _walk_resource(resource: Any, path: str, findings: Findings) -> None:
    if not isinstance(resource, dict):
        findings.add("structure", f"A resource is an object, not {json_kind(resource)}.", path)
        return
    name = resource.get("resourceType")
    if not isinstance(name, str):
        findings.add("structure", "resourceType is missing. Begin with the name of the type.", path)
        return
    if not is_resource_type(name):
        hint = _nearest(name, resource_types(), findings)
        findings.add("structure", f"'{_shown(name)}' is not a resource type of R4.{hint}", path)
        return
    _walk_object(resource, type_definition(name), path, findings)
    if name == "Bundle":
        findings.extend(bundle_issues(resource, path, findings.tolerable))


def _walk_object(
    value: dict[str, Any], definition: TypeDefinition, path: str, findings: Findings
) -> None:
    findings.depth += 1
    if findings.depth > MAX_DEPTH:
        findings.add("structure", f"Nested deeper than {MAX_DEPTH} levels.", path)
    else:
        _walk_members(value, definition, path, findings)
        _check_presence(value, definition, path, findings)
        broken = broken_invariant(definition.name, value)
        if broken:
            findings.add("invariant", broken, path)
    findings.depth -= 1


def _walk_members(
    value: dict[str, Any], definition: TypeDefinition, path: str, findings: Findings
) -> None:
    fields = definition.fields
    for name, member in value.items():
        field = fields.get(name)
        if field is not None:
            where = f"{path}.{_step(field)}"
            if not field.primitive:
                _walk_complex_member(member, field, where, findings)
            else:
                check_primitive_member(member, value.get("_" + name), field, where, findings)
                if "_" + name in value and field.xml != "attribute":
                    _walk_companion(value["_" + name], field, where, member, findings)
        elif name[:1] == "_" and _has_companion(fields.get(name[1:])):
            if name[1:] not in value:
                field = fields[name[1:]]
                _walk_companion(member, field, f"{path}.{_step(field)}", None, findings)
        elif name != "resourceType" or definition.kind != "resource":
            _unknown(name, definition, path, findings)


def _step(field: Field) -> str:
    return f"{field.choice}.ofType({field.type})" if field.choice else field.name


def _has_companion(field: Field | None) -> bool:
    return field is not None and field.primitive and field.xml != "attribute"


def _unknown(name: str, definition: TypeDefinition, path: str, findings: Findings) -> None:
    hint = _nearest(name, tuple(definition.fields), findings)
    findings.add(
        "structure", f"'{_shown(name)}' is not an element of {definition.name}.{hint}", path
    )


def _nearest(name: str, known: tuple[str, ...], findings: Findings) -> str:
    if not findings.may_hint:
        return ""
    near = get_close_matches(name[:64], known, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def _shown(name: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in name[:64])


def _walk_complex_member(member: Any, field: Field, path: str, findings: Findings) -> None:
    if not field.many:
        _walk_complex(member, field, path, findings)
        return
    if not isinstance(member, list):
        findings.add("structure", f"An array is wanted here, not {json_kind(member)}.", path)
        return
    if not member:
        findings.add("structure", "The array is empty. Leave the element out instead.", path)
    for index, one in enumerate(member):
        _walk_complex(one, field, f"{path}[{index}]", findings)


def _walk_complex(value: Any, field: Field, path: str, findings: Findings) -> None:
    if not isinstance(value, dict):
        findings.add("structure", f"An object is wanted here, not {json_kind(value)}.", path)
    elif field.type == "Resource":
        _walk_inner_resource(value, field, path, findings)
    else:
        if not value:
            findings.add("structure", "The object is empty. Leave the element out instead.", path)
            return
        if len(value) == 1 and "id" in value:
            findings.add("invariant", "An element must have a value or children (ele-1).", path)
        _walk_object(value, type_definition(field.type), path, findings)
        _check_complex(value, field, path, findings)


def _walk_inner_resource(
    value: dict[str, Any], field: Field, path: str, findings: Findings
) -> None:
    if field.name != "contained":
        own = Findings(issues=findings.issues, depth=findings.depth, tolerant=findings.tolerant)
        _walk_own(value, path, own)
        return
    _walk_resource(value, path, findings)
    findings.extend(contained_resource_issues(value, path))


def _check_complex(value: dict[str, Any], field: Field, path: str, findings: Findings) -> None:
    if field.type == "Extension":
        names = [name for name in value if name[:5] == "value" or name[:6] == "_value"]
        if bool(names) is ("extension" in value):
            findings.add(
                "invariant", "Must have either extensions or value[x], not both (ext-1).", path
            )
    elif field.type == "Reference":
        _check_reference(value, field, path, findings)
    concepts = bound_concepts(field)
    if concepts is not None and not concept_fits(value, concepts):
        findings.add("code-invalid", f"A coding must be from {choices_text(field)}.", path)


def _check_reference(value: dict[str, Any], field: Field, path: str, findings: Findings) -> None:
    text = value.get("reference")
    if isinstance(text, str) and text.startswith("#"):
        findings.references.append((path, text))
    fault = reference_fault(value, field.targets)
    if fault and fault[0] == "structure":
        findings.add_tolerable(*fault, path)
    elif fault:
        findings.add(*fault, path)


def _walk_companion(member: Any, field: Field, path: str, value: Any, findings: Findings) -> None:
    element = type_definition("Element")
    for where, one in check_companion(member, value, field, path, findings):
        _walk_object(one, element, where, findings)


def _check_presence(
    value: dict[str, Any], definition: TypeDefinition, path: str, findings: Findings
) -> None:
    for name, field in definition.fields.items():
        if field.min and not field.choice and name not in value and "_" + name not in value:
            _missing(definition, name, path, findings)
    for choice, names, is_needed in definition.choices:
        given = [name for name in names if name in value or "_" + name in value]
        if len(given) > 1:
            findings.add(
                "structure",
                f"{choice}[x] may be given once; this has {', '.join(given)}. Keep one.",
                path,
            )
        elif is_needed and not given:
            _missing(definition, f"{choice}[x]", path, findings)


def _missing(definition: TypeDefinition, name: str, path: str, findings: Findings) -> None:
    findings.add(
        "required",
        f"{definition.name}.{name}: minimum required = 1, but only found 0. Add it.",
        path,
    )
