"""One test of a resource as text: a parameter's name, its modifier, its alternatives.

FHIR R4 §3.1.1.4.1 (modifiers), §3.1.1.4.4 (alternatives). What a value means is its type's to say.
"""

from collections.abc import Collection

from ehr.errors import Invalid, TooCostly
from ehr.search.grammar.refusals import shown, unknown
from ehr.search.parameters.custom import Custom
from ehr.search.parameters.modifiers import is_type_of, modifiers
from ehr.search.parameters.supported import parameters_named, supported_names
from ehr.search.request import Criterion
from ehr.search.values.escapes import alternatives
from fhir_profiles.search_parameters import SearchParameter

MAXIMUM_ALTERNATIVES = 1_000


def read_criterion(
    types: tuple[str, ...],
    name: str,
    value: str,
    custom: Custom,
    others: Collection[str] = (),
) -> Criterion:
    """Return the criterion; `others` are further names that a refusal should list as valid."""
    code, colon, modifier = name.partition(":")
    parameters = named(types, code, custom, others)
    if colon:
        for parameter in parameters:
            _check_modifier(parameter, modifier)
    values = alternatives(value)
    if not all(values):
        raise Invalid(f"`{shown(name)}` has an empty value. Give a value or leave it out.")
    if len(values) > MAXIMUM_ALTERNATIVES:
        raise TooCostly(
            f"`{shown(name)}` lists {len(values)} values. At most {MAXIMUM_ALTERNATIVES} are taken."
        )
    if modifier == "missing" and value not in ("true", "false"):
        raise Invalid(f"`{shown(name)}` is `{shown(value)}`. It must be `true` or `false`.")
    return Criterion((name, value), parameters, modifier if colon else None, values)


def named(
    types: tuple[str, ...], code: str, custom: Custom, others: Collection[str] = ()
) -> tuple[SearchParameter, ...]:
    """Return the parameter for each type; raise Invalid where one of them has none."""
    parameters = parameters_named(types, code, custom)
    if not parameters:
        raise missing(types, code, custom, others)
    return parameters


def missing(
    types: tuple[str, ...],
    code: str,
    custom: Custom,
    others: Collection[str] = (),
    what: str = "search parameter",
) -> Invalid:
    """Return the refusal of a parameter that one of these types does not have, or not yet."""
    url = custom.waits(types, code)
    if url is None:
        valid = supported_names(types, custom) | set(others)
        return unknown(what, code, of_types(types), valid)
    return Invalid(
        f"Search parameter `{code}` ({url}) is defined, but not everything is indexed by it. "
        "Run `POST [base]/$reindex` or `ehr reindex`, and search by it when that is done.",
        code="not-supported",
    )


def of_types(types: tuple[str, ...]) -> str:
    """Return how a refusal says for which types a name was looked up."""
    if len(types) == 1:
        return f" for {types[0]}"
    return f" for {', '.join(types)} together" if types else " for a search over all types"


def _check_modifier(parameter: SearchParameter, modifier: str) -> None:
    valid = modifiers(parameter)
    if modifier not in valid and not is_type_of(parameter, modifier):
        where = f" of `{parameter.code}`, a {parameter.kind} parameter"
        types = parameter.targets if parameter.kind == "reference" else ()
        raise unknown("modifier", modifier, where, {*valid, *types})
