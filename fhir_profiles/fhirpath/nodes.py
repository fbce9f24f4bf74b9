"""Elements of a resource as FHIRPath sees them: JSON value, FHIR type and place in the document.

A collection is a list of Nodes (what the document holds) and plain values (what the expression
made). A Node is cheap: nothing is converted before an operator asks for it.
"""

from collections.abc import Iterator
from typing import Any

from .model import (
    ABSENT,
    CHOICE,
    PRIMITIVE,
    RESOURCE,
    UNTYPED,
    Step,
    fields,
    is_primitive,
    step,
)

Collection = list[Any]


class Node:
    """One element. `value` is None for a primitive that has nothing but extensions.

    `parent[key]`, or `parent[key][index]` where index >= 0, is where it stands in the document.
    """

    __slots__ = ("index", "key", "parent", "type", "value")

    def __init__(
        self, value: Any, type: str = "", parent: "Node | None" = None, key: str = "",
        index: int = -1,
    ) -> None:  # fmt: skip
        self.value = value
        self.type = type
        self.parent = parent
        self.key = key
        self.index = index

    def __repr__(self) -> str:
        return f"Node({self.type} at {location(self)})"


def node_of(value: Any, type_name: str | None = None) -> Node:
    """Wrap a JSON value as the root of a document, typed by its resourceType or as told."""
    if isinstance(value, Node):
        return value
    if type_name is None and isinstance(value, dict):
        type_name = _resource_type(value)
    return Node(value, type_name or "")


def shadow(node: Node) -> dict[str, Any] | None:
    """Return the `_name` object of a primitive, which holds its id and extensions."""
    parent = node.parent
    if parent is None or not isinstance(parent.value, dict):
        return None
    found = parent.value.get("_" + node.key)
    if isinstance(found, list):
        found = found[node.index] if 0 <= node.index < len(found) else None
    return found if isinstance(found, dict) else None


def location(node: Node) -> str:
    """Return the FHIRPath of a node with indices: `Patient.name[0].given[1]`."""
    parts: list[str] = []
    at: Node | None = node
    while at is not None:
        name = at.key or at.type or "$this"
        parts.append(name if at.index < 0 else f"{name}[{at.index}]")
        at = at.parent
    return ".".join(reversed(parts))


def members(node: Node, name: str, found: Step, out: Collection) -> None:
    """Append the members called `name` of an object to `out`."""
    kind, type_name, choices = found
    value = node.value
    if kind == UNTYPED:
        _untyped(node, name, out)
    elif kind == CHOICE:
        for key in value:
            if key not in choices:
                continue
            if key[0] == "_" and key[1:] in value:
                continue  # found with its value
            name = key.removeprefix("_")
            if "_" + name in value:
                _append(node, name, choices[key], True, out)
            else:
                out.append(Node(value[key], choices[key], node, name))
    elif kind == RESOURCE:
        for each in _numbered(value.get(name)):
            if isinstance(each[1], dict):
                out.append(Node(each[1], _resource_type(each[1]), node, name, each[0]))
    elif kind != ABSENT:
        _append(node, name, type_name, kind == PRIMITIVE, out)


def shadow_members(node: Node, name: str, out: Collection) -> None:
    """Append id or extensions of a primitive to `out`."""
    held = shadow(node) if name in ("extension", "id") else None
    if held is None or name not in held:
        return
    # The extension's own parent is the `_name` object: its place in the document.
    assert node.parent is not None
    holder = Node(held, "Element", node.parent, "_" + node.key, node.index)
    members(holder, name, step("Element", name), out)


def children(node: Node) -> Iterator[Node]:
    """Yield all child nodes in document order."""
    value = node.value
    found: Collection = []
    if not isinstance(value, dict):
        for name in ("id", "extension"):
            shadow_members(node, name, found)
        yield from found
        return
    known = fields(node.type)
    for key in value:
        if key == "resourceType" or (key[:1] == "_" and key[1:] in value):
            continue
        name = key.removeprefix("_")
        field = known.get(name)
        if field is None:
            if not node.type:
                _untyped(node, name, found)
            continue
        if field.type == "Resource":
            members(node, name, Step(RESOURCE), found)
        else:
            _append(node, name, field.type, is_primitive(field.type), found)
    yield from found


def _append(node: Node, name: str, type_name: str, primitive: bool, out: Collection) -> None:
    value = node.value.get(name)
    extra = node.value.get("_" + name) if primitive else None
    if isinstance(value, list) or isinstance(extra, list):
        values = value if isinstance(value, list) else []
        extras = extra if isinstance(extra, list) else []
        for index in range(max(len(values), len(extras))):
            item = values[index] if index < len(values) else None
            if item is not None or (index < len(extras) and extras[index] is not None):
                out.append(Node(item, type_name, node, name, index))
    elif value is not None or extra is not None:
        out.append(Node(value, type_name, node, name))


def _untyped(node: Node, name: str, out: Collection) -> None:
    value = node.value
    names = [name] if name in value or "_" + name in value else _prefixed(value, name)
    for key in names:
        _append(node, key, "", True, out)
    for each in out:
        if isinstance(each, Node) and not each.type and isinstance(each.value, dict):
            each.type = _resource_type(each.value)


def _prefixed(value: dict[str, Any], name: str) -> list[str]:
    size = len(name)
    return [key for key in value if key.startswith(name) and key[size : size + 1].isupper()]


def _numbered(value: Any) -> Iterator[tuple[int, Any]]:
    if isinstance(value, list):
        yield from enumerate(value)
    elif value is not None:
        yield -1, value


def _resource_type(value: dict[str, Any]) -> str:
    found = value.get("resourceType")
    return found if isinstance(found, str) else ""
