"""What a Reference says about its target: the forms of its text, and the type it names.

FHIR R4 §2.3.0 (References) and §3.1.0.11.4 (conditional references). Does not resolve anything.
"""

import re
from collections.abc import Mapping
from typing import Any

from fhir_profiles.definitions import is_resource_type

_ID = r"[A-Za-z0-9\-.]{1,64}"
_RELATIVE = re.compile(rf"([A-Za-z]+)/{_ID}(?:/_history/{_ID})?")
_CONDITIONAL = re.compile(r"([A-Za-z]+)\?\S+")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_RESTFUL_END = re.compile(rf"/([A-Z][A-Za-z]+)/{_ID}(?:/_history/{_ID})?")

Fault = tuple[str, str]


def reference_fault(reference: Mapping[str, Any], targets: frozenset[str]) -> Fault | None:
    """Return issue code and sentence when a Reference can't be what its element allows."""
    text, declared = reference.get("reference"), reference.get("type")
    named = None
    if isinstance(text, str) and not text.startswith("#"):
        fault = _form_fault(text)
        if fault:
            return fault
        named = named_type(text)
    if isinstance(declared, str):
        if ":" not in declared and not is_resource_type(declared):
            return "value", "Reference.type must be the name of a resource type, such as Patient."
        if named and ":" not in declared and declared != named:
            return "structure", f"The reference names a {named} but its type says {declared}."
        named = named or declared
    if named and targets and ":" not in named and named not in targets:
        allowed = ", ".join(sorted(targets))
        return "structure", f"This refers to a {named}; allowed here: {allowed}."
    return None


def named_type(text: str) -> str | None:
    """Return the resource type that a reference's text names, None when it names none."""
    match = _RELATIVE.fullmatch(text) or _CONDITIONAL.fullmatch(text)
    if match is None and text[:4] == "http":
        match = _last_two_segments(text)
    if match is None or not is_resource_type(match.group(1)):
        return None
    return match.group(1)


def _last_two_segments(text: str) -> re.Match[str] | None:
    # The end of a RESTful URL: four segments at most, looked at from the right.
    cut = len(text)
    for _ in range(2 if "/_history/" not in text else 4):
        cut = text.rfind("/", 0, cut)
        if cut < 0:
            return None
    return _RESTFUL_END.fullmatch(text, cut)


def _form_fault(text: str) -> Fault | None:
    if "://" in text or _ABSOLUTE.fullmatch(text):
        return None
    match = _RELATIVE.fullmatch(text) or _CONDITIONAL.fullmatch(text)
    if match is None:
        return (
            "value",
            "A relative reference must be [type]/[id]; other forms are #[id], an absolute URL, "
            "urn:uuid: or a conditional reference [type]?[criteria].",
        )
    if not is_resource_type(match.group(1)):
        return "value", f"'{match.group(1)[:64]}' is not a resource type of R4."
    return None
