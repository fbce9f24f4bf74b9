"""Editing a document at the place of a FHIRPath node: lists, primitives with extensions, pruning.

A primitive list stands in two parallel arrays, `given` and `_given`; both move together and
neither is left with nothing but nulls (R4 §2.6.2.3).
"""

from typing import Any

from ehr.patches.parts import Value
from fhir_profiles.fhirpath import Node


def set_member(holder: dict[str, Any], value: Value, *, instead_of: str = "") -> None:
    """Set a single member and its extensions; a choice may change its JSON name in place."""
    old = instead_of or value.name
    new = {value.name: value.json, "_" + value.name: value.extra}
    members: dict[str, Any] = {}
    for name, each in holder.items():
        if name in (old, "_" + old):
            members.update({key: item for key, item in new.items() if item is not None})
        else:
            members[name] = each
    members.update({key: item for key, item in new.items() if item is not None})
    holder.clear()
    holder.update(members)


def insert_item(holder: dict[str, Any], at: int, value: Value) -> None:
    """Insert into a list; the list is made when it is missing."""
    items, extras = _arrays(holder, value.name)
    items.insert(at, value.json)
    extras.insert(at, value.extra)
    _store(holder, value.name, items, extras)


def replace_item(holder: dict[str, Any], at: int, value: Value) -> None:
    """Replace one item of a list."""
    items, extras = _arrays(holder, value.name)
    items[at], extras[at] = value.json, value.extra
    _store(holder, value.name, items, extras)


def move_item(holder: dict[str, Any], name: str, source: int, destination: int) -> None:
    """Take one item out of a list and insert it elsewhere."""
    items, extras = _arrays(holder, name)
    items.insert(destination, items.pop(source))
    extras.insert(destination, extras.pop(source))
    _store(holder, name, items, extras)


def size(holder: dict[str, Any], name: str) -> int:
    """Return the length of a list, 0 when it is missing."""
    return len(_arrays(holder, name)[0])


def remove(node: Node) -> None:
    """Remove a node, and every parent that is left without content (R4: no empty objects)."""
    holder = node.parent
    if holder is None:
        return
    if node.index < 0:
        holder.value.pop(node.key, None)
        holder.value.pop("_" + node.key, None)
    else:
        _remove_item(holder.value, node.key, node.index)
    if not holder.value:
        remove(holder)


def _remove_item(holder: dict[str, Any], key: str, at: int) -> None:
    name = key.removeprefix("_")
    items, extras = _arrays(holder, name)
    if key != name and items[at] is not None:
        extras[at] = None  # the extensions go, the value stays
    else:
        del items[at], extras[at]
    _store(holder, name, items, extras)


def _arrays(holder: dict[str, Any], name: str) -> tuple[list[Any], list[Any]]:
    items, extras = list(holder.get(name) or ()), list(holder.get("_" + name) or ())
    length = max(len(items), len(extras))
    items += [None] * (length - len(items))
    extras += [None] * (length - len(extras))
    return items, extras


def _store(holder: dict[str, Any], name: str, items: list[Any], extras: list[Any]) -> None:
    for key, each in ((name, items), ("_" + name, extras)):
        if any(item is not None for item in each):
            holder[key] = each
        else:
            holder.pop(key, None)
