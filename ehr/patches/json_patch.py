"""JSON Patch (RFC 6902) on resources as parsed JSON (FHIR R4 §3.1.0.7 "patch").

The whole patch applies or none of it: the resource given is never changed. Does not validate what
comes out. Operations are counted from 0 in messages, as in the patch document itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ehr.errors import FhirError, Invalid, Unprocessable
from ehr.messages import Resource
from ehr.patches.documents import clone, is_equal, measure
from ehr.patches.pointer import array_index, fhirpath_of, parse_pointer
from fhir_profiles.json_format import MAX_DEPTH

MAX_OPERATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as read; `origin` is the parsed `from`."""

    index: int
    op: str
    path: str
    tokens: tuple[str, ...]
    value: Any = None
    origin: tuple[str, ...] = ()


def apply(resource: Resource, patch: Any, *, max_depth: int = MAX_DEPTH) -> Resource:
    """Return the patched copy of a resource.

    A malformed patch raises Invalid (400); one that does not fit the resource, a failed `test`
    included, Unprocessable (422).
    """
    operations = [_read(index, each) for index, each in enumerate(_listed(patch))]
    document: Any = clone(resource)
    budget = 0
    for operation in operations:
        document = _APPLY[operation.op](document, operation)
        # Copies can double a document each time: measured before they can exhaust memory.
        if operation.op == "copy":
            budget += measure(document, max_depth)
            if budget > 20_000_000:
                raise _fault(document, operation, "the patch copies too much")
    if not isinstance(document, dict):
        raise Unprocessable("The patch replaces the resource by something that is no object.")
    measure(document, max_depth)
    return document


def _listed(patch: Any) -> list[Any]:
    if not isinstance(patch, list):
        raise Invalid("A JSON Patch is an array of operations (RFC 6902 §3).")
    if len(patch) > MAX_OPERATIONS:
        raise Invalid(f"A patch has at most {MAX_OPERATIONS} operations; send several patches.")
    return patch


def _read(index: int, raw: Any) -> Operation:
    if not isinstance(raw, dict):
        raise Invalid(f"Patch operation {index} is not an object.")
    op, path = raw.get("op"), raw.get("path")
    if not isinstance(op, str) or op not in _APPLY:
        given = f", not `{op[:40]}`" if isinstance(op, str) else ""
        raise Invalid(f"Patch operation {index}: op must be one of {', '.join(_APPLY)}{given}.")
    if op in ("add", "replace", "test") and "value" not in raw:
        raise Invalid(f"Patch operation {index} ({op}) needs a value.")
    tokens = _tokens(index, op, "path", path)
    origin = _tokens(index, op, "from", raw.get("from")) if op in ("move", "copy") else ()
    if op == "move" and len(origin) < len(tokens) and tokens[: len(origin)] == origin:
        raise Invalid(f"Patch operation {index} (move): from must not lie above path.")
    return Operation(index, op, str(path), tokens, raw.get("value"), origin)


def _tokens(index: int, op: str, member: str, pointer: Any) -> tuple[str, ...]:
    if not isinstance(pointer, str):
        raise Invalid(f"Patch operation {index} ({op}) needs {member}, a JSON Pointer.")
    try:
        return parse_pointer(pointer)
    except ValueError as error:
        raise Invalid(f"Patch operation {index} ({op}): {member} is malformed: {error}.") from None


def _add(document: Any, operation: Operation) -> Any:
    return _put(document, operation, clone(operation.value))


def _remove(document: Any, operation: Operation) -> Any:
    _take(document, operation, operation.tokens)
    return document


def _replace(document: Any, operation: Operation) -> Any:
    if not operation.tokens:
        return clone(operation.value)
    holder, key = _existing(document, operation, operation.tokens)
    holder[key] = clone(operation.value)
    return document


def _move(document: Any, operation: Operation) -> Any:
    if operation.origin == operation.tokens:
        _get(document, operation, operation.origin)
        return document
    return _put(document, operation, _take(document, operation, operation.origin))


def _copy(document: Any, operation: Operation) -> Any:
    return _put(document, operation, clone(_get(document, operation, operation.origin)))


def _test(document: Any, operation: Operation) -> Any:
    if not is_equal(_get(document, operation, operation.tokens), operation.value):
        raise _fault(
            document,
            operation,
            "the value there differs. Read the resource and make the patch again",
        )
    return document


def _put(document: Any, operation: Operation, value: Any) -> Any:
    """Add at the path: a member is set, an array item inserted, the root replaced."""
    if not operation.tokens:
        return value
    *above, last = operation.tokens
    holder = _get(document, operation, tuple(above))
    if isinstance(holder, dict):
        holder[last] = value
    elif isinstance(holder, list):
        at = len(holder) if last == "-" else array_index(last, len(holder) + 1)
        if at is None:
            raise _fault(document, operation, f"use an index of 0 to {len(holder)}, or -")
        holder.insert(at, value)
    else:
        raise _fault(document, operation, "its parent is neither an object nor an array")
    return document


def _take(document: Any, operation: Operation, tokens: tuple[str, ...]) -> Any:
    if not tokens:
        raise _fault(document, operation, "the whole resource cannot be taken out; use DELETE")
    holder, key = _existing(document, operation, tokens)
    return holder.pop(key)


def _get(document: Any, operation: Operation, tokens: tuple[str, ...]) -> Any:
    if not tokens:
        return document
    holder, key = _existing(document, operation, tokens)
    return holder[key]


def _existing(document: Any, operation: Operation, tokens: tuple[str, ...]) -> tuple[Any, Any]:
    """Return the container and key of a value that must be there."""
    holder: Any = None
    key: Any = None
    value = document
    for depth, token in enumerate(tokens):
        holder, key = value, _key(value, token)
        if key is None:
            lacking = tokens[: depth + 1]
            raise _fault(document, operation, _nothing(operation, lacking), lacking)
        value = holder[key]
    return holder, key


def _nothing(operation: Operation, lacking: tuple[str, ...]) -> str:
    if len(lacking) < len(operation.tokens) and operation.op in ("add", "replace"):
        return f"there is nothing at /{'/'.join(lacking)[:80]}. Add that first, with `add`"
    if operation.op == "replace":
        return "there is nothing at this path. Use `add`, which sets a member in any case"
    return "there is nothing at this path. Read the resource and make the patch again"


def _key(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return token if token in value else None
    return array_index(token, len(value)) if isinstance(value, list) else None


def _fault(
    document: Any, operation: Operation, reason: str, tokens: tuple[str, ...] | None = None
) -> FhirError:
    where = fhirpath_of(document, operation.tokens if tokens is None else tokens)
    text = f"Patch operation {operation.index} ({operation.op} {operation.path}): {reason}."
    return Unprocessable(text, expression=where)


_APPLY: dict[str, Callable[[Any, Operation], Any]] = {
    "add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy,
    "test": _test,
}  # fmt: skip
