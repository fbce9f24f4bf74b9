"""Which search parameters there are: the definitions of the registry, and nothing but them.

FHIR R4 §3.1.1.4.2; their expressions are those of the official package (CC0).
"""

from fhir_profiles import compartments
from fhir_profiles.search_parameters import SearchParameter, component_parameter, for_type
from tests.spec.oracle.references import CANONICALS

__all__ = [
    "SearchParameter",
    "compartment_codes",
    "components",
    "is_canonical",
    "parameter",
    "reference_parameters",
    "searchable",
]

_BY_OTHER_MEANS = frozenset({"_text", "_content", "_query", "_filter"})


def parameter(type: str, code: str) -> SearchParameter | None:
    """Return the parameter of a type with this code; None where there is none."""
    return for_type(type).get(code)


def reference_parameters(type: str) -> list[SearchParameter]:
    """Return the parameters of a type that references stand behind."""
    return [each for each in for_type(type).values() if each.kind == "reference"]


def components(composite: SearchParameter) -> list[tuple[SearchParameter, str]]:
    """Return the parts of a composite: the parameter of each, and where its value is."""
    return [
        (component_parameter(composite, each), each.expression) for each in composite.components
    ]


def compartment_codes(compartment: str, type: str) -> tuple[str, ...]:
    """Return the parameters that put a resource of a type into a compartment."""
    return compartments.parameters(compartment, type)


def is_canonical(element_type: str) -> bool:
    """Tell whether elements of this type name their target by its own url."""
    return element_type in CANONICALS


def searchable(type: str) -> list[SearchParameter]:
    """Return the parameters of a type that look at elements, each kind in a way of its own."""
    return [
        each
        for each in for_type(type).values()
        if each.code not in _BY_OTHER_MEANS and each.kind != "special"
    ]
