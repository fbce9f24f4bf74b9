"""Parts of resources on request: `_summary` and `_elements` (R4 §3.1.1.5.8).

They shape what is read, one resource or each entry of a Bundle; what is stored stays whole.
"""

import difflib
from dataclasses import dataclass
from functools import cache

from fhir_profiles.subset import only_elements, summarise

from ehr.errors import Invalid
from ehr.messages import Interaction, Params, Resource
from fhir_profiles import definitions

_MODES = ("true", "text", "data")
_SINGLE = frozenset({"read", "vread"})
_BUNDLES = frozenset(
    {
        "search-type",
        "search-system",
        "history-instance",
        "history-type",
        "history-system",
        "operation",
    }
)


@dataclass(frozen=True, slots=True)
class View:
    """Which part is wanted: a summary mode or none, and element names or none."""

    summary: str | None = None
    elements: tuple[str, ...] = ()


WHOLE = View()


def wanted_view(interaction: Interaction) -> View:
    """Return the view an interaction asks for; raise Invalid where it asks for nonsense."""
    if not interaction.params:
        return WHOLE
    if interaction.name not in _SINGLE | _BUNDLES or interaction.document is not None:
        return WHOLE
    return View(summary_mode(interaction), _elements(interaction))


def apply_view(resource: Resource, view: View, interaction: Interaction) -> Resource:
    """Return the part of an answer that the view leaves; outcomes stay whole."""
    if interaction.name in _SINGLE or resource.get("resourceType") != "Bundle":
        return part(resource, view)
    entries = [_entry(entry, view) for entry in resource.get("entry", ())]
    return {**resource, "entry": entries} if entries else resource


def _entry(entry: Resource, view: View) -> Resource:
    resource = entry.get("resource")
    if resource is None:
        return entry
    # _elements speaks of what was searched for, not of what is included with it.
    is_included = entry.get("search", {}).get("mode") == "include"
    kept = part(resource, View(view.summary) if is_included else view)
    return {name: kept if name == "resource" else value for name, value in entry.items()}


def part(resource: Resource, view: View) -> Resource:
    """Return the part of one resource that a view leaves."""
    if resource.get("resourceType") == "OperationOutcome":
        return resource
    if view.summary is not None:
        resource = summarise(resource, view.summary)  # type: ignore[arg-type]
    names = _names_for(view.elements, str(resource.get("resourceType")))
    return only_elements(resource, names) if names else resource


def _names_for(elements: tuple[str, ...], type: str) -> list[str]:
    """Return the plain names that concern a type; `Patient.name` concerns Patient alone."""
    names = []
    for element in elements:
        owner, dot, name = element.rpartition(".")
        if not dot or owner == type:
            names.append(name)
    return names


def summary_mode(interaction: Interaction) -> str | None:
    """Return the `_summary` that changes resources; raise Invalid for one that can't be given."""
    values = _values(interaction.params, "_summary")
    value = values[-1] if values else "false"
    if value in _MODES:
        return value
    if value == "false" or (value == "count" and interaction.name not in _SINGLE):
        return None
    raise Invalid(
        f"_summary={value[:40]} can't be given here. Choose true, text, data or false"
        f"{'' if interaction.name in _SINGLE else ', or count for a search'}.",
        code="value",
    )


def _elements(interaction: Interaction) -> tuple[str, ...]:
    listed = ",".join(_values(interaction.params, "_elements"))
    names = tuple(name.strip() for name in listed.split(",") if name.strip())
    if interaction.type is not None and not interaction.preferences.lenient:
        for name in names:
            _check_element(interaction.type, name)
    return names


def _check_element(type: str, name: str) -> None:
    owner, dot, plain = name.rpartition(".")
    if dot and owner != type:
        return
    known = element_names(type)
    if plain not in known:
        near = difflib.get_close_matches(plain[:80], known, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else "Name top-level elements."
        raise Invalid(f"{type} has no element `{plain[:80]}`. {hint}", code="value")


@cache
def element_names(type: str) -> frozenset[str]:
    """Return the names `_elements` may use for a type; a choice by its base or its JSON name."""
    fields = definitions.type_definition(type).fields.values()
    found = {field.name for field in fields} | {field.choice for field in fields if field.choice}
    return frozenset(found | {field.element.removesuffix("[x]") for field in fields})


def _values(params: Params, name: str) -> list[str]:
    return [value for found, value in params if found == name]
