"""JSON Merge Patch (RFC 7386): members are set, null removes them, arrays are replaced whole."""

from typing import Any

from ehr.errors import Invalid
from ehr.messages import Resource
from ehr.patches.documents import clone, measure
from fhir_profiles.json_format import MAX_DEPTH


def apply(resource: Resource, patch: Any, *, max_depth: int = MAX_DEPTH) -> Resource:
    """Return the merged copy of a resource; Invalid (400) when the patch is no object."""
    if not isinstance(patch, dict):
        raise Invalid("A JSON Merge Patch of a resource is an object (RFC 7386 §2).")
    measure(patch, max_depth)
    merged: Resource = _merge(clone(resource), patch)
    measure(merged, max_depth)
    return merged


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return clone(patch)
    if not isinstance(target, dict):
        target = {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = _merge(target.get(name), value)
    return target
