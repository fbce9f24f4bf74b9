"""Which filters a scope may have: token parameters of its type with `code` or `system|code`.

Several with a comma between them mean any of them, as in every search; what is written as two
parameters must hold together.

SMART App Launch 2.2, *Finer-grained resource constraints*. Modifiers, chains and `_filter` are
experimental there, and are refused when they are asked for.
"""

import re
from collections.abc import Sequence

from auth.scopes import ANY, ResourceScope
from fhir_profiles.search_parameters import for_type

_VALUE = re.compile(r"(?:[^|,$\\\s]+\|)?[^|,$\\\s]+")
_MOST = 50  # values of one parameter: each is a comparison in every statement of the token


def is_supported(scope: ResourceScope) -> bool:
    """Tell whether this server can grant a scope with the filter that it has."""
    if not scope.filter:
        return True
    if scope.type == ANY:
        return False
    known = for_type(scope.type)
    return all(
        name in known and known[name].kind == "token" and _are_codes(value.split(","))
        for name, value in scope.filter
    )


def _are_codes(values: Sequence[str]) -> bool:
    return len(values) <= _MOST and all(_VALUE.fullmatch(one) for one in values)
