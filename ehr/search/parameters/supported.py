"""Which search parameters there are for a type or for several, and what may be said of each.

The definitions come from `fhir_profiles`; here is only what this server does with them: which
modifiers (R4 §3.1.1.4.1) each kind takes, and which kinds have an order.
"""

from functools import cache

from ehr.search.parameters import date, number, quantity, reference, string, token, uri
from fhir_profiles.definitions import resource_types
from fhir_profiles.search_parameters import SearchParameter, for_type

MODIFIERS: dict[str, frozenset[str]] = {
    "string": frozenset(string.MODIFIERS),
    "token": frozenset(token.MODIFIERS),
    "reference": frozenset(reference.MODIFIERS),  # and the types it may refer to
    "uri": frozenset(uri.MODIFIERS),
    "number": frozenset(number.MODIFIERS),
    "date": frozenset(date.MODIFIERS),
    "quantity": frozenset(quantity.MODIFIERS),
    "composite": frozenset(),
}
# Kinds whose index rows hold one value each, in an order.
_SORTABLE_KINDS = frozenset({"date", "number", "quantity", "reference", "string", "token", "uri"})
# Columns of the row itself.
ROW_PARAMETERS = frozenset({"_id", "_lastUpdated"})


def parameters_named(types: tuple[str, ...], code: str) -> tuple[SearchParameter, ...]:
    """Return the parameter for each type (none given: all types), or () unless all have it."""
    found = tuple(_supported(name).get(code) for name in types or resource_types())
    return tuple(one for one in found if one is not None) if None not in found else ()


@cache
def supported_names(types: tuple[str, ...]) -> frozenset[str]:
    """Return the codes that every one of these types has."""
    return frozenset.intersection(
        *(frozenset(_supported(name)) for name in types or resource_types())
    )


@cache
def _supported(type_name: str) -> dict[str, SearchParameter]:
    # Without an expression nothing is indexed: `_content`, `_text`, `_query`; `near` is special.
    return {
        code: parameter
        for code, parameter in for_type(type_name).items()
        if parameter.kind != "special"
        and (parameter.expression or parameter.components or code in ROW_PARAMETERS)
    }


def is_sortable(parameters: tuple[SearchParameter, ...]) -> bool:
    """Tell whether rows can be put in the order of this parameter, of one kind for all types."""
    return len({parameter.kind for parameter in parameters}) == 1 and all(
        parameter.code in ROW_PARAMETERS or parameter.kind in _SORTABLE_KINDS
        for parameter in parameters
    )
