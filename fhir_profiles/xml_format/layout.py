"""Where each element of a type stands in FHIR XML (FHIR R4 §2.6.1): order, kind, repetition.

Reader and writer share these tables; they are derived from the definitions on first use.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from fhir_profiles.definitions import Field, resource_types, type_definition
from fhir_profiles.json_format import exact_decimal

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
SCHEMA_LOCATION = "http://www.w3.org/2001/XMLSchema-instance schemaLocation"
PRIMITIVE, COMPLEX, RESOURCE, NARRATIVE, ATTRIBUTE = range(5)

Scalar = str | int | bool | Decimal

_INTEGER = re.compile(r"0|[-+]?[1-9][0-9]{0,19}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*+)((?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)")


@dataclass(frozen=True, slots=True)
class Slot:
    """One element (or attribute) of a type; `rank` grows in definition order."""

    name: str
    rank: int
    many: bool
    kind: int
    type: str
    label: str
    choice: bool
    convert: Callable[[str], Scalar] | None


@dataclass(frozen=True, slots=True)
class Layout:
    """The elements of a type by qualified XML name and by JSON member, and its attributes."""

    elements: Mapping[str, Slot]
    members: Mapping[str, Slot]
    attributes: tuple[str, ...]


@cache
def layout(type_name: str) -> Layout:
    """Return the layout of a resource type, data type or backbone path."""
    definition = type_definition(type_name)
    fields = definition.fields.values()
    ranks = {name: rank for rank, name in enumerate(dict.fromkeys(f.element for f in fields))}
    slots = [_slot(field, ranks[field.element]) for field in fields]
    elements = {_qualified(slot): slot for slot in slots if slot.kind != ATTRIBUTE}
    members = {slot.name: slot for slot in slots}
    return Layout(elements, members, tuple(s.name for s in slots if s.kind == ATTRIBUTE))


@cache
def resource_elements() -> Mapping[str, str]:
    """Return the type of each resource by its qualified XML name."""
    return {f"{FHIR} {name}": name for name in resource_types()}


def _slot(field: Field, rank: int) -> Slot:
    return Slot(
        name=field.name,
        rank=rank,
        many=field.many,
        kind=_kind(field),
        type=field.type,
        label=field.element.removesuffix("[x]"),
        choice=bool(field.choice),
        convert=_CONVERT.get(field.type),
    )


def _kind(field: Field) -> int:
    if field.xml != "element":
        return ATTRIBUTE if field.xml == "attribute" else NARRATIVE
    if field.primitive:
        return PRIMITIVE
    return RESOURCE if field.type in ("Resource", "DomainResource") else COMPLEX


def _qualified(slot: Slot) -> str:
    return f"{XHTML if slot.kind == NARRATIVE else FHIR} {slot.name}"


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("must be a whole number without leading zeros, such as 42")
    return int(text)


def _decimal(text: str) -> Decimal | int:
    match = _DECIMAL.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        # JSON reads a number without point and exponent as an integer: so do we.
        return exact_decimal(text) if match.group(1) or text == "-0" else int(text)
    except (ValueError, ArithmeticError):
        raise ValueError("must be a decimal, such as 1.50") from None


_CONVERT: Mapping[str, Callable[[str], Scalar]] = {
    "boolean": _boolean,
    "integer": _integer,
    "positiveInt": _integer,
    "unsignedInt": _integer,
    "decimal": _decimal,
}
