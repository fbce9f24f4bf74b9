"""Which elements of a resource type a search parameter selects, by the type's definition.

Turns the steps of an expression into JSON members: choice elements become one member per type,
casts keep some of them. R4 searchparameter.html §2.30, json.html §2.6.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from fhir_profiles.definitions import Field, base_types, type_definition
from fhir_profiles.search_parameters import SearchParameter
from fhir_profiles.selection import (
    Cast,
    Child,
    Equal,
    Extended,
    Extensions,
    Inexpressible,
    Nth,
    Step,
    Steps,
    Targets,
    Truth,
    read_expression,
)


@dataclass(frozen=True, slots=True)
class Member:
    """Take a JSON member; of a list every item, or the one at `index`."""

    name: str
    many: bool
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """Take one boolean: whether any of these members is there and not false."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Take what an expression gives of the whole resource: values by their types."""

    expression: str


Move = Member | Equal | Extended | Presence | Evaluated


@dataclass(frozen=True, slots=True)
class Leaf:
    """Elements that a parameter selects: how to walk there, and what stands there.

    `path` is the element path without indices. `target` is the only type that references may point
    to. `by_path` is false where `path` and `target` alone do not say which elements are meant.
    """

    resource_type: str
    path: str
    type: str
    field: Field | None
    moves: tuple[Move, ...] = ()
    target: str | None = None
    by_path: bool = True


@cache
def leaves(parameter: SearchParameter) -> tuple[Leaf, ...]:
    """Return what the parameter selects, one leaf per type and way to get there."""
    if not parameter.expression:
        return ()
    if parameter.results:
        return tuple(_evaluated(parameter, type) for type in parameter.results)
    found: list[Leaf] = []
    for steps in read_expression(parameter.expression):
        found += _walk(_root(parameter.type, steps), _below_root(parameter.type, steps))
    return tuple(dict.fromkeys(found))


@cache
def is_single(parameter: SearchParameter) -> bool:
    """Tell whether a resource has one value of the parameter at most: a choice has one type."""
    found = leaves(parameter)
    return len({leaf.path for leaf in found}) == 1 and all(
        isinstance(move, Member) and not move.many for leaf in found for move in leaf.moves
    )


def leaves_below(base: Leaf, expression: str) -> tuple[Leaf, ...]:
    """Return what an expression selects below an element; the type may stand in front."""
    found: list[Leaf] = []
    for steps in read_expression(expression):
        below = steps if base.moves else _below_root(base.type, steps)
        found += _walk(base, below)
    return tuple(dict.fromkeys(found))


def members_at(type: str, steps: Steps, name: str) -> tuple[Field, ...]:
    """Return the fields called `name` of the elements that steps lead to."""
    found = _walk(_root(type, steps), _below_root(type, steps)) if steps else iter(())
    return tuple(one.field for leaf in found for one in _children(leaf, name) if one.field)


def _evaluated(parameter: SearchParameter, type: str) -> Leaf:
    """Return the values of one type; no path of an element says what they are."""
    path = f"{parameter.type}.({parameter.code})"
    moves = (Evaluated(parameter.expression), Member(type, many=True))
    return Leaf(parameter.type, path, type, None, moves, by_path=False)


def _root(type: str, steps: Steps) -> Leaf:
    return Leaf(resource_type=type, path=type, type=type, field=None)


def _below_root(type: str, steps: Steps) -> Steps:
    # Some expressions leave the type out: "name | alias".
    names = (type, *base_types(type))
    return steps[1:] if steps[0] in [Child(name) for name in names] else steps


def _walk(leaf: Leaf, steps: Steps) -> Iterator[Leaf]:
    if not steps:
        yield leaf
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, Child):
        members = _children(leaf, step.name)
        if rest == (Truth(),):
            yield _presence(leaf, members)
            return
        if rest and isinstance(rest[0], Cast):
            members, rest = _cast(members, rest[0].type), rest[1:]
        for member in members:
            yield from _walk(member, rest)
        return
    following = _filtered(leaf, step)
    if following is not None:
        yield from _walk(following, rest)


def _children(leaf: Leaf, name: str) -> list[Leaf]:
    try:
        fields = type_definition(leaf.type).fields.values()
    except KeyError:
        return []
    return [
        replace(
            leaf,
            path=f"{leaf.path}.{field.element}",
            type=field.type,
            field=field,
            moves=(*leaf.moves, Member(field.name, field.many)),
            by_path=leaf.by_path and leaf.type not in _reused(leaf.resource_type),
        )
        for field in fields
        if name in (field.choice, field.element)
    ]


@cache
def _reused(type: str) -> frozenset[str]:
    """Return the backbones that stand in more than one place: their paths mean all of these."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [type]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for field in type_definition(name).fields.values():
            if "." in field.type:
                if field.type != field.path:
                    found.add(field.type)
                if field.type not in seen:
                    waiting.append(field.type)
    return frozenset(found)


def _cast(members: list[Leaf], type: str) -> list[Leaf]:
    """Keep what is of a type "or a subclass thereof" (FHIRPath §6.3.3): a canonical is a uri."""
    return [one for one in members if type in (one.type, *base_types(one.type))]


def _presence(leaf: Leaf, members: list[Leaf]) -> Leaf:
    names = tuple(
        member.moves[-1].name for member in members if isinstance(member.moves[-1], Member)
    )
    return replace(
        leaf,
        path=members[0].path,
        type="boolean",
        moves=(*leaf.moves, Presence(names)),
        by_path=False,
    )


def _filtered(leaf: Leaf, step: Step) -> Leaf | None:
    match step:
        case Cast(type):
            return leaf if type == leaf.type or type in base_types(leaf.type) else None
        case Targets(type):
            return replace(leaf, target=type)
        case Equal() | Extended():
            return replace(leaf, moves=(*leaf.moves, step), by_path=False)
        case Extensions(url):
            extension = _children(leaf, "extension")[0]
            return replace(extension, moves=(*extension.moves, Equal("url", url)), by_path=False)
        case Nth(index) if leaf.moves and isinstance(leaf.moves[-1], Member):
            last = replace(leaf.moves[-1], index=index)
            return replace(leaf, moves=(*leaf.moves[:-1], last), by_path=False)
    raise Inexpressible(f"{leaf.path}: {step} can't be followed here")
