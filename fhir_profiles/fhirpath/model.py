"""What FHIRPath asks of the R4 model: members of a type, and which type is which.

FHIR R4 §2.9.1.1 "Use of FHIR Specific types". Unknown types are untyped (""): their members are
found by JSON name, a choice element by its prefix.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from fhir_profiles.definitions import Field, base_types, is_resource_type, type_definition

ABSENT, COMPLEX, PRIMITIVE, RESOURCE, CHOICE, UNTYPED = range(6)

SYSTEM_TYPES = frozenset(
    {"Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"}
)


class Step(NamedTuple):
    """How a member is found: `kind` as above, `type` of the value, JSON names of a choice.

    `choices` has every JSON name with its type, those of primitives also with an underscore.
    """

    kind: int
    type: str = ""
    choices: Mapping[str, str] = MappingProxyType({})


@cache
def step(type_name: str, member: str) -> Step:
    """Return how `member` of an object of this type is found."""
    if not type_name:
        return Step(UNTYPED)
    field = fields(type_name).get(member)
    if field is not None and not field.choice:
        return Step(_kind(field), field.type)
    choices = {each.name: each.type for each in fields(type_name).values() if each.choice == member}
    choices |= {"_" + name: each for name, each in choices.items() if is_primitive(each)}
    return Step(CHOICE, "", MappingProxyType(choices)) if choices else Step(ABSENT)


def fields(type_name: str) -> Mapping[str, Field]:
    """Return the JSON members of a type; none when it is unknown."""
    try:
        return type_definition(type_name).fields
    except KeyError:
        return {}


@cache
def is_fhir_type(name: str) -> bool:
    """Tell whether R4 defines a type or backbone of this name."""
    try:
        type_definition(name)
    except KeyError:
        return False
    return True


@cache
def is_primitive(name: str) -> bool:
    """Tell whether this is a FHIR primitive type."""
    return is_fhir_type(name) and type_definition(name).kind == "primitive-type"


@cache
def is_subtype(name: str, ancestor: str) -> bool:
    """Tell whether `name` is `ancestor` or derives from it."""
    return name == ancestor or (is_fhir_type(name) and ancestor in base_types(name))


def _kind(field: Field) -> int:
    if field.primitive or is_primitive(field.type):
        return PRIMITIVE
    if field.type in ("Resource", "DomainResource") or is_resource_type(field.type):
        return RESOURCE
    return COMPLEX
