"""Which search parameters there are for a type or for several, and what may be said of each.

The definitions come from `fhir_profiles`, and from the record where it adds some (`custom.py`);
here is only what this server does with them, and which kinds have an order. `modifiers.py` says
which modifiers each takes.
"""

from functools import cache

from ehr.search.parameters import full_text
from ehr.search.parameters.custom import NO_CUSTOM, Custom
from fhir_profiles.definitions import resource_types
from fhir_profiles.search_parameters import SearchParameter, for_type

# Kinds whose index rows hold one value each, in an order.
_SORTABLE_KINDS = frozenset({"date", "number", "quantity", "reference", "string", "token", "uri"})
# Columns of the row itself.
ROW_PARAMETERS = frozenset({"_id", "_lastUpdated"})
_BY_OTHER_MEANS = ROW_PARAMETERS | full_text.CODES


def parameters_named(
    types: tuple[str, ...], code: str, custom: Custom = NO_CUSTOM
) -> tuple[SearchParameter, ...]:
    """Return the parameter for each type (none given: all types), or () unless all have it."""
    found = tuple(
        _supported(name).get(code) or custom.of_type(name).get(code)
        for name in types or resource_types()
    )
    return tuple(one for one in found if one is not None) if None not in found else ()


def searchable(type_name: str, custom: Custom = NO_CUSTOM) -> tuple[SearchParameter, ...]:
    """Return the parameters that a type can be searched by, in the order of their codes."""
    found = _supported(type_name) | dict(custom.of_type(type_name))
    return tuple(found[code] for code in sorted(found))


def supported_names(types: tuple[str, ...], custom: Custom = NO_CUSTOM) -> frozenset[str]:
    """Return the codes that every one of these types has."""
    if not custom.ready:
        return _standard_names(types)
    return frozenset.intersection(
        *(frozenset((*_supported(name), *custom.of_type(name))) for name in _all(types))
    )


@cache
def _standard_names(types: tuple[str, ...]) -> frozenset[str]:
    return frozenset.intersection(*(frozenset(_supported(name)) for name in _all(types)))


def _all(types: tuple[str, ...]) -> tuple[str, ...]:
    return types or resource_types()


@cache
def _supported(type_name: str) -> dict[str, SearchParameter]:
    # Without an expression nothing is indexed, but words: `_filter`, `_query`.
    return {
        code: parameter
        for code, parameter in for_type(type_name).items()
        if parameter.expression or parameter.components or code in _BY_OTHER_MEANS
    }


def is_sortable(parameters: tuple[SearchParameter, ...]) -> bool:
    """Tell whether rows can be put in the order of this parameter, of one kind for all types."""
    return len({parameter.kind for parameter in parameters}) == 1 and all(
        parameter.code in ROW_PARAMETERS
        or (parameter.kind in _SORTABLE_KINDS and parameter.code not in full_text.CODES)
        for parameter in parameters
    )
