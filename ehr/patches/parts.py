"""The value of a FHIRPath Patch operation as JSON for a place of a known type.

A value is `value[x]` of the element's type, a whole resource, or nested parts that build an object
(R4 §3.1.5: backbone elements and types that value[x] does not have).
"""

from dataclasses import dataclass
from typing import Any

from ehr.errors import Unprocessable
from ehr.patches.documents import clone
from fhir_profiles.definitions import Field, base_types, is_resource_type, type_definition
from fhir_profiles.json_format import DEEPEST

# The parser has refused what is nested deeper; this only keeps recursion within bounds.
_MAX_DEPTH = DEEPEST // 2


@dataclass(frozen=True, slots=True)
class Value:
    """`json` goes to `name`, `extra` (id and extensions of a primitive) to `_name`."""

    name: str
    json: Any
    extra: Any = None


def field_of(type_name: str, name: str) -> list[Field]:
    """Return the field called `name`, or all fields of the choice `name`; none when unknown."""
    try:
        fields = type_definition(type_name).fields
    except KeyError:
        return []
    if name in fields:
        return [fields[name]]
    base = name.removesuffix("[x]")
    return [field for field in fields.values() if field.choice == base]


def build(part: dict[str, Any], fields: list[Field], label: str, depth: int = 0) -> Value:
    """Read the value that a part holds for one of these fields."""
    if depth > _MAX_DEPTH:
        raise Unprocessable(f"{label}: the value is nested more than {_MAX_DEPTH} deep.")
    path = fields[0].path
    if "resource" in part:
        return _resource(part["resource"], fields, label)
    member, type_name = _typed(part, label, path)
    if member is None:
        return _built(part, fields, label, depth)
    for field in fields:
        if _fits(type_name, field.type):
            extra = clone(part.get("_" + member)) if field.primitive else None
            if part.get(member) is None and not isinstance(extra, dict):
                raise Unprocessable(f"{label}: the value for {path} is null.", expression=path)
            return Value(field.name, clone(part.get(member)), extra)
    wanted = " or ".join(f"value{field.type[0].upper()}{field.type[1:]}" for field in fields[:5])
    if "." in fields[0].type:
        wanted = "parts"
    raise Unprocessable(f"{label}: {path} takes {wanted}, not {member}.", expression=path)


def _typed(part: dict[str, Any], label: str, path: str) -> tuple[str | None, str]:
    """Return the value[x] member of a part and its FHIR type."""
    allowed = type_definition("Parameters.parameter").fields
    found = [
        key.removeprefix("_")
        for key in part
        if key.startswith("value") or (key.startswith("_value") and key[1:] not in part)
    ]
    if len(found) > 1:
        raise Unprocessable(f"{label}: one value only, not {', '.join(found)}.", expression=path)
    if not found:
        return None, ""
    if found[0] not in allowed:
        raise Unprocessable(f"{label}: there is no {found[0]} in R4.", expression=path)
    return found[0], allowed[found[0]].type


def _fits(given: str, wanted: str) -> bool:
    """A value fits its own type, an ancestor, or what only narrows its text (string → code):
    the result is validated anyway. A date is a dateTime."""
    if given == wanted or (given, wanted) == ("date", "dateTime"):
        return True
    return wanted in _ancestors(given) or (given[0].islower() and given in _ancestors(wanted))


def _ancestors(name: str) -> tuple[str, ...]:
    try:
        return base_types(name)
    except KeyError:
        return ()


def _resource(resource: Any, fields: list[Field], label: str) -> Value:
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    for field in fields:
        if field.type in ("Resource", name) and isinstance(name, str) and is_resource_type(name):
            return Value(field.name, clone(resource))
    path = fields[0].path
    raise Unprocessable(f"{label}: {path} does not take this resource.", expression=path)


def _built(part: dict[str, Any], fields: list[Field], label: str, depth: int) -> Value:
    path = fields[0].path
    inner = part.get("part")
    if not isinstance(inner, list) or not inner:
        raise Unprocessable(f"{label}: the value for {path} is missing.", expression=path)
    if len(fields) > 1:
        text = f"{label}: name the type of {path}, for example {fields[0].name}."
        raise Unprocessable(text, expression=path)
    field = fields[0]
    if field.primitive:
        raise Unprocessable(f"{label}: {path} is a {field.type}, not parts.", expression=path)
    return Value(field.name, _object(inner, field, label, depth))


def _object(parts: list[Any], field: Field, label: str, depth: int) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for part in parts:
        name = part.get("name") if isinstance(part, dict) else None
        fields = field_of(field.type, name) if isinstance(name, str) else []
        if not fields:
            text = f"{label}: {field.path} has no element {name!r}."
            raise Unprocessable(text, expression=field.path)
        value = build(part, fields, label, depth + 1)
        _place(built, fields, value, label)
    return built


def _place(built: dict[str, Any], fields: list[Field], value: Value, label: str) -> None:
    if fields[0].many:
        items = built.setdefault(value.name, [])
        items.append(value.json)
        if value.extra is not None or "_" + value.name in built:
            extras = built.setdefault("_" + value.name, [])
            extras.extend([None] * (len(items) - 1 - len(extras)))
            extras.append(value.extra)
        return
    taken = [field for field in _siblings(fields) if field in built or "_" + field in built]
    if taken:
        path = fields[0].path
        raise Unprocessable(f"{label}: {path} does not repeat.", expression=path)
    if value.json is not None:
        built[value.name] = value.json
    if value.extra is not None:
        built["_" + value.name] = value.extra


def _siblings(fields: list[Field]) -> list[str]:
    """Return all JSON names that exclude each other with these fields."""
    field = fields[0]
    if not field.choice:
        return [field.name]
    owner = type_definition(field.path.rpartition(".")[0])
    return next((list(names) for base, names, _ in owner.choices if base == field.choice), [])
