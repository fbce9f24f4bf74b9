"""What composite search parameters are made of: parts that hold together in one element.

FHIR R4 §3.1.1.4.17 and searchparameter.html §2.30: the expression of a composite selects elements,
that of each component a value below one of them. A part's index rows are those of the parameter
that defines it, and say which element they stand in. A part that selects more than its parameter,
or otherwise than a composite before it, has rows under an id of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from fhir_profiles.identity import stable_id
from fhir_profiles.search_parameters import SearchParameter, component_parameter, for_type
from fhir_profiles.selected import Leaf, Member, Move, leaves, leaves_below

Moves = tuple[Move, ...]
# Values that the parameter finds and no composite means.
APART: None = None
_STANDARD = "http://hl7.org/fhir/SearchParameter/"
_OF_RESOURCE = "%resource."


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a composite: the parameter of its values and, of each value, its element.

    `parameter` has the id of the part's rows. `elements` leads to the element of a value, () for
    the resource. `alone` is true where the rows of the parameter need no comparing of elements.
    """

    parameter: SearchParameter
    elements: Mapping[Leaf, Moves]
    alone: bool


@cache
def parts(composite: SearchParameter) -> tuple[Part, ...]:
    """Return the parts of a composite parameter, in order."""
    made: list[Part] = []
    for n, (parameter, elements) in enumerate(_components(composite)):
        own = not _shares(composite, parameter, elements)
        if own:
            id = stable_id(f"{composite.type}.{composite.code}.{n}")
            parameter = replace(parameter, param_id=id, own_rows=True)
        alone = not any(elements.values()) and (own or set(elements) == set(leaves(parameter)))
        made.append(Part(parameter, elements, alone))
    return tuple(made)


def element_of(parameter: SearchParameter, leaf: Leaf) -> Moves | None:
    """Return the moves to the element that a value's rows name, () for none, or APART."""
    placed = _placed(parameter.type).get(parameter.code)
    return () if placed is None else placed.get(leaf, APART)


def _components(composite: SearchParameter) -> list[tuple[SearchParameter, dict[Leaf, Moves]]]:
    found = []
    for component in composite.components:
        elements: dict[Leaf, Moves] = {}
        for base in leaves(composite):
            if component.expression.startswith(_OF_RESOURCE):
                of_resource = f"{composite.type}.{component.expression.removeprefix(_OF_RESOURCE)}"
                whole = replace(composite, expression=of_resource)
                elements |= dict.fromkeys(leaves(whole), ())
            else:
                below = leaves_below(base, component.expression)
                elements |= dict.fromkeys(below, _repeated(base))
        parameter = component_parameter(composite, component)
        # `value` names values of every type, of which the parameter knows some.
        known = {leaf: element for leaf, element in elements.items() if leaf in leaves(parameter)}
        found.append((parameter, known or elements))
    return found


def _repeated(base: Leaf) -> Moves:
    """Return the moves to an element, () where a resource has only one of it."""
    repeats = any(isinstance(move, Member) and move.many for move in base.moves)
    return base.moves if repeats else ()


def _shares(
    composite: SearchParameter, parameter: SearchParameter, elements: Mapping[Leaf, Moves]
) -> bool:
    return (
        composite.url.startswith(_STANDARD)
        and _placed(composite.type).get(parameter.code) == elements
    )


@cache
def _placed(type: str) -> Mapping[str, Mapping[Leaf, Moves]]:
    """Return the parameters of a type whose rows name elements, with the elements of their values.

    Standard composites only: one that is added at run time must not change rows that are there.
    """
    placed: dict[str, Mapping[Leaf, Moves]] = {}
    for composite in for_type(type).values():
        if composite.kind == "composite" and composite.url.startswith(_STANDARD):
            for parameter, elements in _components(composite):
                fits = set(elements) <= set(leaves(parameter)) and parameter.kind != "reference"
                if fits:
                    placed.setdefault(parameter.code, elements)
    return placed
