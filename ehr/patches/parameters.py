"""A FHIRPath Patch document, which is a Parameters resource, as typed operations (R4 §3.1.5)."""

from dataclasses import dataclass
from typing import Any

from ehr.errors import Invalid
from fhir_profiles.fhirpath import Expression, FhirPathError, compile

MAX_OPERATIONS = 1_000

_NEEDS = {
    "add": ("path", "name", "value"),
    "insert": ("path", "value", "index"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}
_TYPES = {
    "type": ("valueCode", "valueString"),
    "path": ("valueString",),
    "name": ("valueString", "valueCode", "valueId"),
    "index": ("valueInteger", "valueUnsignedInt", "valuePositiveInt"),
    "source": ("valueInteger", "valueUnsignedInt", "valuePositiveInt"),
    "destination": ("valueInteger", "valueUnsignedInt", "valuePositiveInt"),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `value` is the part that holds the value, as it stands."""

    index: int
    type: str
    path: Expression
    name: str = ""
    value: Any = None
    at: int = 0
    source: int = 0
    destination: int = 0

    @property
    def label(self) -> str:
        """Name the operation in messages; operations are counted from 0."""
        return f"Patch operation {self.index} ({self.type} {self.path.text})"


def read_operations(patch: Any) -> list[Operation]:
    """Read all operations; Invalid (400) when the document is no FHIRPath Patch."""
    if not isinstance(patch, dict) or patch.get("resourceType") != "Parameters":
        raise Invalid("A FHIRPath Patch is a Parameters resource (R4 §3.1.5).")
    parameters = patch.get("parameter", [])
    if not isinstance(parameters, list):
        raise Invalid("parameter must be an array.", expression="Parameters.parameter")
    if len(parameters) > MAX_OPERATIONS:
        raise Invalid(f"A patch has at most {MAX_OPERATIONS} operations; send several patches.")
    return [_operation(index, each) for index, each in enumerate(parameters)]


def _operation(index: int, parameter: Any) -> Operation:
    where = f"Parameters.parameter[{index}]"
    if not isinstance(parameter, dict) or parameter.get("name") != "operation":
        raise Invalid(
            f"Patch operation {index}: every parameter is named operation.", expression=where
        )
    parts = _parts(index, parameter.get("part"), where)
    kind = _simple(index, parts, "type", where)
    if kind not in _NEEDS:
        raise Invalid(
            f"Patch operation {index}: type must be one of {', '.join(_NEEDS)}.", expression=where
        )
    _require(index, kind, parts, where)
    numbers = {
        name: _simple(index, parts, name, where) for name in _NEEDS[kind] if name in _NUMBERS
    }
    return Operation(
        index,
        kind,
        _path(index, _simple(index, parts, "path", where), where),
        _simple(index, parts, "name", where) if "name" in _NEEDS[kind] else "",
        parts.get("value"),
        numbers.get("index", 0),
        numbers.get("source", 0),
        numbers.get("destination", 0),
    )


_NUMBERS = ("index", "source", "destination")


def _parts(index: int, raw: Any, where: str) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for part in raw if isinstance(raw, list) else ():
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str) or (name not in _TYPES and name != "value"):
            known = ", ".join([*_TYPES, "value"])
            raise Invalid(f"Patch operation {index}: parts are {known}.", expression=where)
        if name in parts:
            raise Invalid(f"Patch operation {index} has {name} twice.", expression=where)
        parts[name] = part
    return parts


def _require(index: int, kind: str, parts: dict[str, Any], where: str) -> None:
    needs = ("type", *_NEEDS[kind])
    missing = [name for name in needs if name not in parts]
    if missing:
        text = f"Patch operation {index} ({kind}) needs {', '.join(missing)}."
        raise Invalid(text, expression=where)
    # Some clients send a name, or an empty value, with every operation: what is not
    # used must not contradict.
    extra = [name for name in parts if name not in needs]
    if extra:
        text = f"Patch operation {index} ({kind}) does not take {', '.join(extra)}."
        raise Invalid(text, expression=where)


def _simple(index: int, parts: dict[str, Any], name: str, where: str) -> Any:
    part = parts.get(name, {})
    wanted = int if name in _NUMBERS else str
    for member in _TYPES[name]:
        value = part.get(member)
        if type(value) is wanted:
            return value
    raise Invalid(f"Patch operation {index}: {name} needs a {_TYPES[name][0]}.", expression=where)


def _path(index: int, text: str, where: str) -> Expression:
    try:
        return compile(text)
    except FhirPathError as error:
        message = f"Patch operation {index}: path is no FHIRPath: {error}."
        raise Invalid(message, expression=where) from None
