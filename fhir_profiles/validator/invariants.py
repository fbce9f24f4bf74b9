"""The invariants of everyday types that plain Python checks faster than FHIRPath (FHIR R4 §2.24).

per-1, qty-3, cpt-2, att-1, rat-1, pat-1 and obs-6; ele-1, ext-1, ref-1, dom-2 to dom-5 and the
Bundle's own rules live with the walk. All other invariants need the FHIRPath engine.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

Element = Mapping[str, Any]


def broken_invariant(type_name: str, element: Element) -> str:
    """Return the sentence of the rule that an element breaks, empty when it breaks none."""
    rule = RULES.get(type_name)
    if rule is None or rule[0](element):
        return ""
    return rule[1]


def is_ordered(period: Element) -> bool:
    """Say whether a Period's start is known to be no later than its end, where both are given.

    `2023-06-21` to `2023-06-21T06:20:00Z` is not known to be: FHIRPath's comparison of unequal
    precisions is empty, and the reference validator refuses it.
    """
    start, end = period.get("start"), period.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        return True
    if len(start) == len(end) and start[19:] == end[19:]:
        return start <= end  # The same precision and offset: texts compare as times do.
    shared = min(len(start), len(end), 10)
    if "T" not in start or "T" not in end:
        return start[:shared] < end[:shared]
    try:
        return datetime.fromisoformat(start) <= datetime.fromisoformat(end)
    except (ValueError, TypeError):
        return True  # A leap second or a broken text: not this rule's business.


def _quantity_is_coded(quantity: Element) -> bool:
    return "code" not in quantity or "system" in quantity or "_system" in quantity


def _contact_has_system(contact: Element) -> bool:
    return "value" not in contact or "system" in contact or "_system" in contact


def _attachment_has_type(attachment: Element) -> bool:
    return "data" not in attachment or "contentType" in attachment or "_contentType" in attachment


def _ratio_is_whole(ratio: Element) -> bool:
    has_numerator = "numerator" in ratio
    if has_numerator is not ("denominator" in ratio):
        return False
    return has_numerator or "extension" in ratio


def _contact_says_something(contact: Element) -> bool:
    return any(name in contact for name in ("name", "telecom", "address", "organization"))


def _value_or_reason(observation: Element) -> bool:
    if "dataAbsentReason" not in observation:
        return True
    return not any(name[:5] == "value" or name[:6] == "_value" for name in observation)


_QUANTITY = (
    _quantity_is_coded,
    "If a code for the unit is present, the system must be too (qty-3).",
)
RULES: Mapping[str, tuple[Callable[[Element], bool], str]] = MappingProxyType(
    {
        "Period": (is_ordered, "If present, start must not be after end (per-1)."),
        "ContactPoint": (
            _contact_has_system,
            "A system is required if a value is provided (cpt-2).",
        ),
        "Attachment": (
            _attachment_has_type,
            "If the attachment has data, it must have a contentType (att-1).",
        ),
        "Ratio": (
            _ratio_is_whole,
            "Numerator and denominator must both be present, or both absent with an "
            "extension (rat-1).",
        ),
        "Patient.contact": (
            _contact_says_something,
            "A contact needs a name, telecom, address or organization (pat-1).",
        ),
        "Observation": (
            _value_or_reason,
            "dataAbsentReason may only be present when there is no value (obs-6).",
        ),
        "Quantity": _QUANTITY,
        "Age": _QUANTITY,
        "Count": _QUANTITY,
        "Distance": _QUANTITY,
        "Duration": _QUANTITY,
    }
)
