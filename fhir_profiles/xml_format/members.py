"""Elements as members of a JSON object: lists, and what stands beside primitives (R4 §2.6.2)."""

from typing import Any

from fhir_profiles.xml_format.findings import Frame
from fhir_profiles.xml_format.layout import Slot


def attach(holder: dict[str, Any], slot: Slot, value: Any) -> None:
    """Put an element's value under its name, into a list where there may be many."""
    if slot.many:
        holder.setdefault(slot.name, []).append(value)
    else:
        holder[slot.name] = value


def keep_extras(parent: Frame, slot: Slot, extras: dict[str, Any]) -> None:
    """Put id and extensions of a primitive into `_name`, in step with the values of a list."""
    name = f"_{slot.name}"
    if not slot.many:
        if extras:
            parent.value[name] = extras
        return
    items = parent.value.get(name)
    if items is None:
        if not extras:
            return
        parent.has_extras = True
        items = parent.value[name] = [None] * (len(parent.value[slot.name]) - 1)
    items.append(extras or None)


def drop_empty_lists(value: dict[str, Any]) -> None:
    """Take `[null, null]` away that stands beside `_name`: it says nothing."""
    for name in [name for name in value if name.startswith("_")]:
        items = value.get(name[1:])
        if isinstance(items, list) and all(item is None for item in items):
            del value[name[1:]]
