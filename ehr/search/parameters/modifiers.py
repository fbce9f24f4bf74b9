"""Which modifiers a search parameter takes (R4 search.html §3.1.1.4.4), and refusing all others.

"Server SHALL reject any search request that contains is suffixed by a modifier that the server does
not support for that parameter". Some modifiers hang on what the parameter selects: only an
Identifier has a type, only a Location lies below another.
"""

from functools import cache

from ehr.search.matching import check_modifier
from ehr.search.parameters import reference, token
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.search_parameters import SearchParameter

_OF_KIND: dict[str, tuple[str, ...]] = {
    "composite": (),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "special": ("missing",),
    "string": ("missing", "exact", "contains"),
    "uri": ("missing", "above", "below"),
}
# A full text search is no search of strings.
_OF_CODE: dict[str, tuple[str, ...]] = {"_text": ("missing",), "_content": ("missing",)}


@cache
def modifiers(parameter: SearchParameter) -> tuple[str, ...]:
    """Return the modifiers of a parameter; a reference also takes the types it may refer to."""
    if parameter.code in _OF_CODE:
        return _OF_CODE[parameter.code]
    if parameter.kind == "token":
        return token.modifiers(parameter)
    if parameter.kind == "reference":
        return reference.modifiers(parameter)
    return _OF_KIND[parameter.kind]


def check(parameter: SearchParameter, modifier: str | None) -> None:
    """Refuse a modifier that this parameter does not have."""
    if modifier is None or is_type_of(parameter, modifier):
        return
    more = ("[Type]",) if parameter.kind == "reference" else ()
    check_modifier(parameter, modifier, (*modifiers(parameter), *more))


def is_type_of(parameter: SearchParameter, modifier: str) -> bool:
    """Tell whether a modifier is a type that a reference parameter may refer to."""
    return parameter.kind == "reference" and (
        modifier in parameter.targets if parameter.targets else is_resource_type(modifier)
    )
