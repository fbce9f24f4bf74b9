"""Following a reference parameter: which types it leads to, and what each of them is asked.

FHIR R4 §3.1.1.4.15 (chained parameters). `conditions.py` follows names, `filter_conditions.py` the
paths of a `_filter`.
"""

from collections.abc import Callable, Sequence

from ehr.errors import Invalid, TooCostly
from ehr.search.grammar.criterion import missing, named, of_types
from ehr.search.grammar.refusals import unknown
from ehr.search.parameters.custom import Custom
from ehr.search.parameters.supported import parameters_named, supported_names
from ehr.search.request import (
    AllOf,
    AnyOf,
    Chain,
    Condition,
    Negation,
    Reverse,
    Written,
)
from fhir_profiles.definitions import is_resource_type, resource_types
from fhir_profiles.search_parameters import SearchParameter

MAXIMUM_HOPS = 3
MAXIMUM_BRANCHES = 16
_LISTED = 6


def check_hops(hops: int) -> None:
    """Raise TooCostly where a chain is longer than the server follows."""
    if hops > MAXIMUM_HOPS:
        raise TooCostly(f"The chain is longer than {MAXIMUM_HOPS} steps. Ask in two searches.")


def follow(
    parameters: tuple[SearchParameter, ...],
    target: str | None,
    known: Sequence[str],
    written: Written,
    read: Callable[[str], Condition],
    custom: Custom,
) -> Chain:
    """Return the chain through `parameters`, asking each type that it leads to what `read` says.

    `target` is the only type meant, if one is; else types are that have all parameters `known`.
    """
    code = parameters[0].code
    targets = (
        (_target(parameters, target),) if target is not None else _known(parameters, known, custom)
    )
    if len(targets) > MAXIMUM_BRANCHES:
        raise _too_many(code, targets, written)
    inner: list[tuple[str, Condition]] = []
    refused: list[Invalid] = []
    for target_type in targets:
        try:
            inner.append((target_type, read(target_type)))
        except Invalid as error:
            refused.append(error)
    # An untyped chain leads to the targets that understand the rest; one of them must.
    if not inner:
        raise refused[0]
    chain = Chain(written, parameters, tuple(inner))
    if _branches(chain) > MAXIMUM_BRANCHES:
        raise _too_many(code, targets, written)
    return chain


def reference(types: tuple[str, ...], code: str, custom: Custom) -> tuple[SearchParameter, ...]:
    """Return the reference parameter for each type; raise Invalid where it is none."""
    parameters = named(types, code, custom)
    if any(parameter.kind != "reference" for parameter in parameters):
        raise Invalid(
            f"`{code}`{of_types(types)} is no reference, so nothing can be chained through it.",
            code="not-supported",
        )
    return parameters


def all_targets(parameters: tuple[SearchParameter, ...]) -> tuple[str, ...]:
    """Return the types that these parameters may lead to."""
    named = dict.fromkeys(name for parameter in parameters for name in parameter.targets)
    known = tuple(name for name in named if is_resource_type(name))
    return known or resource_types()


def _target(parameters: tuple[SearchParameter, ...], target: str) -> str:
    valid = all_targets(parameters)
    if target not in valid:
        raise unknown("target type", target, f" of `{parameters[0].code}`", valid)
    return target


def _known(
    parameters: tuple[SearchParameter, ...], codes: Sequence[str], custom: Custom
) -> tuple[str, ...]:
    """Return the targets that have the next parameters of a chain; raise Invalid where none has."""
    targets = known = all_targets(parameters)
    for code in codes:
        before, known = (
            known,
            tuple(name for name in known if parameters_named((name,), code, custom)),
        )
        if known:
            continue
        if custom.waits(before, code):
            raise missing(before, code, custom)
        listed = targets if len(targets) <= _LISTED else ()
        where = f" for the targets of `{parameters[0].code}`"
        where += f" ({', '.join(listed)})" if listed else ""
        valid = set().union(*(supported_names((name,), custom) for name in listed))
        raise unknown("search parameter", code, where, valid)
    return known


def _branches(condition: Condition) -> int:
    match condition:
        case Chain():
            return sum(_branches(one) for _, one in condition.inner)
        case Reverse():
            return _branches(condition.inner)
        case AllOf() | AnyOf():
            return sum(_branches(one) for one in condition.parts)
        case Negation():
            return _branches(condition.part)
        case _:
            return 1


def _too_many(code: str, targets: tuple[str, ...], written: Written) -> TooCostly:
    # A `_filter` has no word for a type; what only one type has does as well.
    advice = (
        f"Ask in brackets for what only few types have: `{code}[… eq …]`."
        if written[0] == "_filter"
        else f"Name the one you mean, such as `{code}:{targets[0]}`."
    )
    return TooCostly(f"The chain through `{code}` leads to too many types. {advice}")
