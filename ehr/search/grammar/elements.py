"""Names of elements that `_elements` may list, and the refusal of others (R4 §3.1.1.5.9).

It "consists of a comma-separated list of base element names such as, elements defined at the root
level in the resource".
"""

from collections.abc import Collection

from ehr.errors import Invalid
from ehr.search.grammar.refusals import shown, unknown
from fhir_profiles.definitions import is_resource_type, type_definition
from fhir_profiles.subset import unknown_elements


def check_elements(types: Collection[str], names: Collection[str]) -> None:
    """Raise Invalid for a name that is no base element of any of these types."""
    known = [set(names) - set(unknown_elements(one, names)) for one in types]
    for name in names:
        if not any(name in some for some in known):
            raise _refusal(types, name)


def _refusal(types: Collection[str], name: str) -> Invalid:
    valid = set().union(*map(_base_elements, types))
    first, dot, rest = name.partition(".")
    base = rest.partition(".")[0] if is_resource_type(first) else first
    if dot and base in valid and base != rest:
        return Invalid(
            f"`{shown(name)}` in `_elements` is part of an element, and only whole ones of the top "
            f"level can be asked for. Did you mean `{base}`?",
            code="not-supported",
        )
    where = f" of {' or '.join(types)}" if len(types) == 1 else ""
    return unknown("element", name, f"{where} in `_elements`", valid)


def _base_elements(type: str) -> set[str]:
    """Return the names as R4 writes them here: `value` for `value[x]`."""
    return {one.choice or one.name for one in type_definition(type).fields.values()}
