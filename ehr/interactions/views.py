"""Parts of resources on request: `_summary` and `_elements` (R4 §3.1.1.5.8).

They shape what is read, one resource or each entry of a Bundle; what is stored stays whole.
Searches shape what they find themselves.
"""

from dataclasses import dataclass
from typing import Literal

from ehr.errors import Invalid
from ehr.messages import Interaction, Params, Resource
from ehr.search.grammar.elements import check_elements
from fhir_profiles import json_format
from fhir_profiles.subset import only_elements, summarise

Mode = Literal["true", "text", "data"]

_MODES: dict[str, Mode] = {"true": "true", "text": "text", "data": "data"}
_SINGLE = frozenset({"capabilities", "read", "vread"})
_BUNDLES = frozenset(
    {
        "history-instance",
        "history-type",
        "history-system",
        "operation",
    }
)


@dataclass(frozen=True, slots=True)
class View:
    """Which part is wanted: a summary mode or none, and element names or none."""

    summary: Mode | None = None
    elements: tuple[str, ...] = ()


WHOLE = View()


def wanted_view(interaction: Interaction) -> View:
    """Return the view an interaction asks for; raise Invalid where it asks for nonsense."""
    if not interaction.params:
        return WHOLE
    if interaction.name not in _SINGLE | _BUNDLES or interaction.document is not None:
        return WHOLE
    return View(summary_mode(interaction), _elements(interaction))


def listed_view(interaction: Interaction) -> View:
    """Return the view that a search asks for of what it finds; raise Invalid for nonsense."""
    return View(summary_mode(interaction), _elements(interaction))


def view_of(body: bytes, view: View, interaction: Interaction) -> bytes:
    """Return the part of an answer that the view leaves, as JSON bytes."""
    return json_format.serialise(apply_view(json_format.reparse(body), view, interaction))


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
        resource = summarise(resource, view.summary)
    return only_elements(resource, view.elements) if view.elements else resource


def summary_mode(interaction: Interaction) -> Mode | None:
    """Return the `_summary` that changes resources; raise Invalid for one that can't be given."""
    values = _values(interaction.params, "_summary")
    if len(values) > 1:
        raise Invalid("`_summary` is given twice. Send it once.", expression="_summary")
    value = values[0] if values else "false"
    if value in _MODES:
        return _MODES[value]
    counts = interaction.name not in _SINGLE and interaction.name != "operation"
    if value == "false" or (value == "count" and counts):
        return None
    raise Invalid(
        f"_summary={value[:40]} can't be given here. Choose true, text, data or false"
        f"{', or count' if counts else ''}.",
        code="value",
        expression="_summary",
    )


def _elements(interaction: Interaction) -> tuple[str, ...]:
    listed = ",".join(_values(interaction.params, "_elements"))
    names = tuple(name.strip() for name in listed.split(",") if name.strip())
    if interaction.type is None:
        return names
    try:
        check_elements((interaction.type,), names)
    except Invalid:
        if interaction.preferences.lenient:
            return ()
        raise
    return names


def _values(params: Params, name: str) -> list[str]:
    return [value for found, value in params if found == name]
