"""R4 types as data: fields, bindings and constraints of resources, data types and backbones.

FHIR R4 §2.27 (StructureDefinition) and §2.6.1 (JSON). Type definitions are built when first asked
for and kept. Does not validate; `fhir_profiles.validator` compiles these tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from fhir_profiles.core_data import read_table
from fhir_profiles.resource_types import is_resource_type, resource_types, type_name, type_number
from fhir_profiles.value_sets import coded, codes

__all__ = [
    "Binding",
    "Constraint",
    "Field",
    "TypeDefinition",
    "base_types",
    "coded",
    "codes",
    "is_resource_type",
    "resource_types",
    "type_definition",
    "type_name",
    "type_names",
    "type_number",
]


@dataclass(frozen=True, slots=True)
class Binding:
    """The value set of a coded element; `value_set` keeps its `|version`."""

    strength: str
    value_set: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """One invariant: a FHIRPath expression that must be true, and what it means in words."""

    key: str
    severity: str
    expression: str
    human: str


@dataclass(frozen=True, slots=True)
class Field:
    """One JSON member that an object of a type may have; a choice element gives one per type.

    `type` is a FHIR type code, or the path of a backbone's own definition; a content reference is
    already resolved to its target. `min` of a choice member is that of the whole choice element:
    `TypeDefinition.choices` says what is required. Empty `targets` mean any type. `constraints` are
    those stated on this element only; those of its type stand in the type's definition.
    """

    name: str
    element: str
    path: str
    type: str
    min: int
    many: bool
    primitive: bool
    choice: str
    targets: frozenset[str]
    binding: Binding | None
    summary: bool
    modifier: bool
    xml: str
    constraints: tuple[Constraint, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A resource, data type, primitive or backbone with all its fields in definition order."""

    name: str
    kind: str
    base: str | None
    abstract: bool
    fields: Mapping[str, Field]
    constraints: tuple[Constraint, ...]
    choices: tuple[tuple[str, tuple[str, ...], bool], ...]


@cache
def type_definition(name: str) -> TypeDefinition:
    """Return the definition of a type or of a backbone by its path; KeyError when unknown."""
    root, _, below = name.partition(".")
    kind, base, abstract, constraints, rows = _rows(root)
    if below:
        kind, abstract = "backbone", False
        base, constraints = _backbone(root, below, rows)
    fields, choices = _fields(root, below, rows)
    return TypeDefinition(
        name=name,
        kind=kind,
        base=base or None,
        abstract=abstract,
        fields=MappingProxyType(fields),
        constraints=_constraints(constraints),
        choices=choices,
    )


def base_types(name: str) -> tuple[str, ...]:
    """Return the ancestors of a type, nearest first."""
    base = type_definition(name).base
    return () if base is None else (base, *base_types(base))


def type_names() -> tuple[str, ...]:
    """Return every resource, data and primitive type, abstract ones included, in order."""
    return tuple(sorted(_types()))


@cache
def _types() -> dict[str, Any]:
    import msgspec

    shape = dict[str, dict[str, msgspec.Raw]]
    return dict(read_table("structures", shape)["types"])


@cache
def _rows(root: str) -> tuple[str, str, bool, list[list[str]], list[list[Any]]]:
    import msgspec

    kind, base, abstract, constraints, rows = msgspec.json.decode(_types()[root])
    return kind, base, abstract, constraints, rows


def _backbone(root: str, below: str, rows: list[list[Any]]) -> tuple[str, list[list[str]]]:
    """Return base and constraints of a backbone; it has ele-1 like every other element."""
    for path, _, _, types, _, _, _, constraints in rows:
        if path == below and types and types[0][0] in ("BackboneElement", "Element"):
            inherited = _rows("Element")[3]
            return types[0][0], inherited + constraints
    raise KeyError(f"{root}.{below}")


def _fields(
    root: str, below: str, rows: list[list[Any]]
) -> tuple[dict[str, Field], tuple[tuple[str, tuple[str, ...], bool], ...]]:
    prefix = f"{below}." if below else ""
    fields: dict[str, Field] = {}
    choices: list[tuple[str, tuple[str, ...], bool]] = []
    parents = {row[0].rpartition(".")[0] for row in rows}
    for row in rows:
        element = row[0].removeprefix(prefix)
        if not row[0].startswith(prefix) or "." in element:
            continue
        members = _members(root, element, row, row[0] in parents)
        fields.update((each.name, each) for each in members)
        if element.endswith("[x]"):
            names = tuple(each.name for each in members)
            choices.append((element.removesuffix("[x]"), names, row[1] > 0))
    return fields, tuple(choices)


def _members(root: str, element: str, row: list[Any], is_parent: bool) -> list[Field]:
    """Return the JSON members of one element: one, or one for each type of a choice."""
    path, minimum, maximum, types, flags, binding, content, constraints = row
    choice = element.removesuffix("[x]") if element.endswith("[x]") else ""
    if content:
        types = [[content, []]]
    elif is_parent:
        types = [[f"{root}.{path}", []]]
    return [
        Field(
            name=choice + code[0].upper() + code[1:] if choice else element,
            element=element,
            path=f"{root}.{path}",
            type=code,
            min=minimum,
            many=maximum != "1",
            primitive=code[0].islower(),
            choice=choice,
            targets=frozenset(targets),
            binding=_binding(code, binding),
            summary="S" in flags,
            modifier="M" in flags,
            xml="attribute" if "A" in flags else "xhtml" if "H" in flags else "element",
            # A backbone's rules stand in its own definition.
            constraints=() if is_parent else _constraints(constraints),
        )
        for code, targets in types
    ]


# Types that carry a code; a binding on a choice element says nothing about its other types.
_CODED = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "string", "uri"})
_CODED_QUANTITIES = frozenset({"Age", "Count", "Distance", "Duration", "MoneyQuantity"})


def _binding(code: str, binding: list[str]) -> Binding | None:
    if not binding or code not in _CODED | _CODED_QUANTITIES:
        return None
    return Binding(binding[0], binding[1])


@cache
def _one_constraint(key: str, severity: str, expression: str, human: str) -> Constraint:
    return Constraint(key, severity, expression, human)


def _constraints(rows: list[list[str]]) -> tuple[Constraint, ...]:
    return tuple(_one_constraint(*row) for row in rows)
