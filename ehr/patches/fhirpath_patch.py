"""FHIRPath Patch (FHIR R4 §3.1.5): add, insert, delete, replace and move at FHIRPath places.

The whole patch applies or none of it. A path gives exactly one element; for insert and move it
gives one list; for delete it may give nothing. Does not validate the resource that comes out.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any

from ehr.errors import Unprocessable
from ehr.messages import Resource
from ehr.patches.documents import clone, measure
from ehr.patches.parameters import Operation, read_operations
from ehr.patches.parts import Value, build, field_of
from ehr.patches.places import (
    insert_item,
    move_item,
    remove,
    replace_item,
    set_member,
    size,
)
from fhir_profiles.definitions import Field
from fhir_profiles.fhirpath import Expression, FhirPathError, Node, location
from fhir_profiles.json_format import MAX_DEPTH

_SECONDS = 5.0


def apply(resource: Resource, patch: Any, *, max_depth: int = MAX_DEPTH) -> Resource:
    """Return the patched copy of a resource.

    A malformed patch raises Invalid (400), one that does not fit the resource Unprocessable (422).
    """
    operations = read_operations(patch)
    document: Resource = clone(resource)
    start = monotonic()
    for operation in operations:
        if monotonic() - start > _SECONDS:
            raise _fault(
                operation, "the patch takes too long; use simpler paths or several patches"
            )
        _APPLY[operation.type](document, operation)
    measure(document, max_depth)
    return document


def _add(document: Resource, operation: Operation) -> None:
    target = _one(document, operation)
    holder, type_name = _holder(target, operation.name, operation)
    fields = _fields(type_name, operation.name, operation, target)
    value = build(operation.value, fields, operation.label)
    if fields[0].many:
        insert_item(holder, size(holder, value.name), value)
        return
    taken = [name for name in _exclusive(type_name, fields[0]) if _has(holder, name)]
    if taken:
        text = f"{location(target)} already has {taken[0]}. Use replace"
        raise _fault(operation, text, f"{location(target)}.{taken[0]}")
    set_member(holder, value)


def _insert(document: Resource, operation: Operation) -> None:
    holder, name, field, length = _list(document, operation)
    if not 0 <= operation.at <= length:
        raise _fault(operation, f"index must be 0 to {length}")
    value = build(operation.value, [field], operation.label)
    insert_item(holder, operation.at, Value(name, value.json, value.extra))


def _delete(document: Resource, operation: Operation) -> None:
    found = _found(document, operation)
    if not found:
        return  # R4: nothing to delete is no error
    target = _only(found, operation)
    if target.parent is None:
        raise _fault(operation, "a whole resource cannot be deleted by a patch; use DELETE")
    remove(target)


def _replace(document: Resource, operation: Operation) -> None:
    target = _one(document, operation)
    parent = target.parent
    if parent is None:
        raise _fault(operation, "a whole resource cannot be replaced by a patch; use PUT")
    fields = _fields(parent.type, target.key, operation, target)
    if fields[0].choice:
        fields = _fields(parent.type, fields[0].choice, operation, target)
    value = build(operation.value, fields, operation.label)
    if target.index < 0:
        set_member(parent.value, value, instead_of=target.key)
    else:
        replace_item(parent.value, target.index, value)


def _move(document: Resource, operation: Operation) -> None:
    holder, name, _, length = _list(document, operation)
    for part in (operation.source, operation.destination):
        if not 0 <= part < length:
            raise _fault(operation, f"source and destination must be 0 to {length - 1}")
    move_item(holder, name, operation.source, operation.destination)


def _found(document: Resource, operation: Operation) -> list[Node]:
    return _evaluated(operation.path, document, operation)


def _evaluated(path: Expression, document: Resource, operation: Operation) -> list[Node]:
    try:
        found = path.nodes(document, seconds=1.0)
    except FhirPathError as error:
        raise _fault(operation, f"the path cannot be evaluated: {error}") from None
    if not all(isinstance(each, Node) and _is_inside(each, document) for each in found):
        raise _fault(operation, "the path must point to elements of the resource")
    return found


def _is_inside(node: Node, document: Resource) -> bool:
    """Tell whether a node is part of the document: the result of type() is not."""
    at = node
    while at.parent is not None:
        at = at.parent
    return at.value is document


def _one(document: Resource, operation: Operation) -> Node:
    return _only(_found(document, operation), operation)


def _only(found: list[Node], operation: Operation) -> Node:
    if not found:
        raise _fault(operation, "there is nothing at this path")
    if len(found) > 1:
        text = f"the path finds {len(found)} elements and must find one; add an index"
        raise _fault(operation, text)
    return found[0]


def _list(document: Resource, operation: Operation) -> tuple[dict[str, Any], str, Field, int]:
    """Return the holder, JSON name, field and length of the list that a path denotes."""
    found = _found(document, operation)
    parent, name = _list_place(document, operation, found)
    holder, type_name = _holder(parent, name, operation)
    field = _fields(type_name, name, operation, parent)[0]
    if not field.many:
        raise _fault(operation, f"{field.path} is no list. Use add or replace")
    length = size(holder, name)
    if len(found) != length:
        raise _fault(operation, "the path must give the whole list; leave out the index or filter")
    return holder, name, field, length


def _list_place(document: Resource, operation: Operation, found: list[Node]) -> tuple[Node, str]:
    if found:
        first = found[0]
        parent = first.parent
        if parent is None or any(
            each.parent is None or each.parent.value is not parent.value or each.key != first.key
            for each in found
        ):
            raise _fault(operation, "the path must give the items of one list")
        return parent, first.key
    above = operation.path.above() if operation.type == "insert" else None
    if above is not None:
        # An empty list has no place of its own: its parent has.
        expression, name = above
        return _only(_evaluated(expression, document, operation), operation), name
    raise _fault(operation, "there is nothing at this path")


def _holder(target: Node, name: str, operation: Operation) -> tuple[dict[str, Any], str]:
    """Return the object that members are added to; for a primitive its `_name` object."""
    if isinstance(target.value, dict):
        return target.value, target.type
    parent = target.parent
    if name not in ("extension", "id") or parent is None:
        raise _fault(operation, f"{location(target)} is a primitive: only extension or id fit")
    key = "_" + target.key
    if target.index < 0:
        return parent.value.setdefault(key, {}), "Element"
    extras = parent.value.setdefault(key, [])
    extras.extend([None] * (len(parent.value.get(target.key, ())) - len(extras)))
    extras[target.index] = extras[target.index] or {}
    return extras[target.index], "Element"


def _fields(type_name: str, name: str, operation: Operation, target: Node) -> list[Field]:
    fields = field_of(type_name, name)
    if not fields:
        where = location(target)
        text = f"{type_name or 'this element'} has no element {name!r}"
        raise _fault(operation, text, where)
    return fields


def _exclusive(type_name: str, field: Field) -> list[str]:
    """Return the JSON names of which only one may be there."""
    if not field.choice:
        return [field.name]
    return [each.name for each in field_of(type_name, field.choice)]


def _has(holder: dict[str, Any], name: str) -> bool:
    return name in holder or "_" + name in holder


def _fault(operation: Operation, reason: str, where: str = "") -> Unprocessable:
    return Unprocessable(f"{operation.label}: {reason}.", expression=where or operation.path.text)


_APPLY: dict[str, Callable[[Resource, Operation], None]] = {
    "add": _add, "insert": _insert, "delete": _delete, "replace": _replace, "move": _move,
}  # fmt: skip
