"""Parts of a resource: `_summary` and `_elements` (FHIR R4 §3.1.1.5.8, §3.1.1.5.9).

What is mandatory stays, so that a part is still valid R4; what changes the meaning of the rest
(modifier extensions, implicit rules) stays too, and so do contained resources that a kept reference
names. Every part is tagged SUBSETTED. Counting (`_summary=count`) is the search's.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, Literal

from fhir_profiles.definitions import Field, TypeDefinition, is_resource_type, type_definition
from fhir_profiles.references import ALL_KINDS, collect

SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
_ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_WHOLE = ""


def summarise(resource: dict[str, Any], mode: Literal["true", "text", "data"]) -> dict[str, Any]:
    """Return the summary of a resource; the original is not changed."""
    if mode == "true":
        kept = _summary(resource, resource["resourceType"])
    elif mode == "data":
        kept = {name: member for name, member in resource.items() if name != "text"}
    else:
        kept = _members(resource, _mandatory(resource["resourceType"]) | {"text"})
    return _tagged(_with_contained(kept, resource))


def only_elements(resource: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return id, meta, the named elements and what is mandatory; the original is not changed.

    Names are base elements, `birthDate` or `Patient.birthDate`; a choice by any of its spellings
    (`value`, `value[x]`, `valueQuantity`). Names of other types say nothing about this resource.
    """
    definition = type_definition(resource["resourceType"])
    wanted = {name for text in names for name in _named(definition, text)}
    kept = _members(resource, _mandatory(definition.name) | wanted)
    return _tagged(_with_contained(kept, resource))


def unknown_elements(type_name: str, names: Iterable[str]) -> list[str]:
    """Return those of the names that are no base element of a type, for a strict refusal."""
    definition = type_definition(type_name)
    return [
        text for text in names if _owner(text) in ("", type_name) and not _named(definition, text)
    ]


def _owner(text: str) -> str:
    """Return the resource type that a name is qualified with, if any."""
    first, dot, _ = text.partition(".")
    return first if dot and is_resource_type(first) else ""


def _named(definition: TypeDefinition, text: str) -> list[str]:
    owner = _owner(text)
    if owner not in ("", definition.name):
        return []
    base = text.removeprefix(f"{owner}.")
    if base == "resourceType":  # always there, so that to ask for it does no harm
        return [base]
    return [
        field.name
        for field in definition.fields.values()
        if base and base in (field.name, field.element, field.choice)
    ]


@cache
def _mandatory(type_name: str) -> frozenset[str]:
    fields = type_definition(type_name).fields.values()
    return _ALWAYS | {field.name for field in fields if field.min > 0}


def _members(resource: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: member for name, member in resource.items() if name.removeprefix("_") in names}


def _summary(value: dict[str, Any], type_name: str) -> dict[str, Any]:
    kept = {}
    members = _summary_members(type_name)
    for name, member in value.items():
        below = members.get(name)
        if below is None:
            continue
        part = member if below == _WHOLE else _part(member, below)
        if part or part is member:
            kept[name] = part
    return kept


def _part(member: Any, type_name: str) -> Any:
    if isinstance(member, list):
        parts = [_part(item, type_name) for item in member]
        return [part for part in parts if part]
    if not isinstance(member, dict):
        return member
    if type_name != "Resource":
        return _summary(member, type_name)
    name = member.get("resourceType")
    if not isinstance(name, str) or not is_resource_type(name):
        return member
    return summarise(member, "true")


@cache
def _summary_members(type_name: str) -> Mapping[str, str]:
    """Return the members of a type that are in its summary, each with the type to go on with."""
    definition = type_definition(type_name)
    members = {"resourceType": _WHOLE} if definition.kind == "resource" else {}
    for field in definition.fields.values():
        if field.summary or field.min > 0 or field.name in _ALWAYS - {"id"}:
            members[field.name] = _below(field)
            if field.primitive:
                members[f"_{field.name}"] = _WHOLE
    return members


def _below(field: Field) -> str:
    if field.primitive or field.name == "meta":
        return _WHOLE
    below = type_definition(field.type).fields.values()
    # Extension and Narrative have no summary of their own; neither would mean anything in part.
    has_summary = field.type == "Resource" or any(each.summary for each in below)
    return field.type if has_summary else _WHOLE


def _with_contained(kept: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    """Keep the contained resources that a kept reference names: else it would dangle."""
    contained = resource.get("contained")
    if not isinstance(contained, list) or kept.get("contained") is contained:
        return kept
    by_id = {
        f"#{item.get('id', '')}": item
        for item in contained
        if isinstance(item, dict) and is_resource_type(str(item.get("resourceType")))
    }
    pending = [{name: member for name, member in kept.items() if name != "contained"}]
    needed = []
    while pending:
        for found in collect(pending.pop(), kinds=ALL_KINDS):
            item = by_id.pop(found.value or "", None)
            if item is not None:
                needed.append(item)
                pending.append(item)
    if not needed:
        return kept
    return {
        name: [item for item in contained if item in needed] if name == "contained" else kept[name]
        for name in resource
        if name in kept or name == "contained"
    }


def _tagged(kept: dict[str, Any]) -> dict[str, Any]:
    meta = kept.get("meta", {})
    tags = meta.get("tag", [])
    is_tagged = any(
        tag.get("system") == SUBSETTED["system"] and tag.get("code") == SUBSETTED["code"]
        for tag in tags
    )
    if is_tagged:
        return kept
    members = kept | {"meta": meta | {"tag": [*tags, dict(SUBSETTED)]}}
    leading = [name for name in ("resourceType", "id", "meta") if name in members]
    return {name: members[name] for name in dict.fromkeys([*leading, *members])}
