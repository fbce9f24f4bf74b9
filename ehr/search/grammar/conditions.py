"""One search parameter as text to a Condition: a criterion, or a chain or `_has` that leads to one.

FHIR R4 §3.1.1.4.14 (chained parameters), §3.1.1.4.15 (`_has`); mixed and nested as they come.
"""

import re
from collections.abc import Collection

from ehr.errors import Invalid, TooCostly
from ehr.search.grammar.criterion import named, of_types, read_criterion
from ehr.search.grammar.refusals import shown, unknown
from ehr.search.parameters.supported import parameters_named, supported_names
from ehr.search.request import Chain, Condition, Criterion, Reverse
from fhir_profiles.definitions import is_resource_type, resource_types
from fhir_profiles.search_parameters import SearchParameter

MAXIMUM_HOPS = 3
MAXIMUM_BRANCHES = 16
_LISTED = 6
# A pair of values is a question of its own, where plain values share one list.
_COMPOSITE_WEIGHT = 20
_HAS = "_has:"


def read_condition(
    types: tuple[str, ...],
    name: str,
    value: str,
    *,
    others: Collection[str] = (),
    hops: int = 0,
) -> Condition:
    """Return the condition; `others` are further names that a refusal should list as valid."""
    if hops > MAXIMUM_HOPS:
        raise _too_long()
    if name.startswith(_HAS):
        return _reverse(types, name, value, hops)
    if "." in name:
        return _chain(types, name, value, hops)
    return read_criterion(types, name, value, others)


def weight(condition: Condition) -> int:
    """Return how many values a condition compares with, counted for each type."""
    match condition:
        case Chain():
            return sum(weight(one) for _, one in condition.inner)
        case Reverse():
            return weight(condition.inner)
        case Criterion():
            return sum(
                len(condition.values) * (_COMPOSITE_WEIGHT if one.kind == "composite" else 1)
                for one in condition.parameters
            )


def _chain(types: tuple[str, ...], name: str, value: str, hops: int) -> Chain:
    head, _, rest = name.partition(".")
    if hops + 1 + rest.count(".") > MAXIMUM_HOPS:
        raise _too_long()
    code, colon, target = head.partition(":")
    parameters = _reference(types, code)
    targets = _targets(parameters, target) if colon else _that_know(parameters, rest)
    if len(targets) > MAXIMUM_BRANCHES:
        raise _too_many(code, targets)
    inner: list[tuple[str, Condition]] = []
    refused: list[Invalid] = []
    for target_type in targets:
        try:
            inner.append((target_type, read_condition((target_type,), rest, value, hops=hops + 1)))
        except Invalid as error:
            refused.append(error)
    # An untyped chain leads to the targets that understand the rest; one of them must.
    if not inner:
        raise refused[0]
    chain = Chain((name, value), parameters, tuple(inner))
    if _branches(chain) > MAXIMUM_BRANCHES:
        raise _too_many(code, targets)
    return chain


def _that_know(parameters: tuple[SearchParameter, ...], rest: str) -> tuple[str, ...]:
    """Return the targets that have the next parameter of a chain; raise Invalid where none has."""
    code = re.split(r"[.:]", rest, maxsplit=1)[0]
    targets = _all_targets(parameters)
    if code == "_has":
        return targets
    known = tuple(name for name in targets if parameters_named((name,), code))
    if not known:
        listed = targets if len(targets) <= _LISTED else ()
        where = f" for the targets of `{parameters[0].code}`"
        where += f" ({', '.join(listed)})" if listed else ""
        valid = set().union(*(supported_names((name,)) for name in listed))
        raise unknown("search parameter", code, where, valid)
    return known


def _branches(condition: Condition) -> int:
    match condition:
        case Chain():
            return sum(_branches(one) for _, one in condition.inner)
        case Reverse():
            return _branches(condition.inner)
        case Criterion():
            return 1


def _too_long() -> TooCostly:
    return TooCostly(f"The chain is longer than {MAXIMUM_HOPS} steps. Ask in two searches.")


def _too_many(code: str, targets: tuple[str, ...]) -> TooCostly:
    return TooCostly(
        f"The chain through `{shown(code)}` leads to too many types. Name the one you mean, "
        f"such as `{shown(code)}:{targets[0]}`."
    )


def _reference(types: tuple[str, ...], code: str) -> tuple[SearchParameter, ...]:
    parameters = named(types, code)
    if any(parameter.kind != "reference" for parameter in parameters):
        raise Invalid(
            f"`{code}`{of_types(types)} is no reference, so nothing can be chained through it.",
            code="not-supported",
        )
    return parameters


def _targets(parameters: tuple[SearchParameter, ...], target: str) -> tuple[str, ...]:
    valid = _all_targets(parameters)
    if target not in valid:
        raise unknown("target type", target, f" of `{parameters[0].code}`", valid)
    return (target,)


def _all_targets(parameters: tuple[SearchParameter, ...]) -> tuple[str, ...]:
    named = dict.fromkeys(name for parameter in parameters for name in parameter.targets)
    known = tuple(name for name in named if is_resource_type(name))
    return known or resource_types()


def _reverse(types: tuple[str, ...], name: str, value: str, hops: int) -> Reverse:
    parts = name.split(":", 3)
    if len(parts) < 4 or not all(parts):
        raise Invalid(
            f"`{shown(name)}` is incomplete. It must be `_has:Type:reference:parameter`, "
            "for instance `_has:Observation:patient:code`."
        )
    _, source, code, rest = parts
    if not is_resource_type(source):
        raise unknown("resource type", source, f" in `{shown(name)}`", resource_types())
    (parameter,) = _reference((source,), code)
    reached = _all_targets((parameter,))
    if types and not set(types) & set(reached):
        raise Invalid(
            f"`{source}.{code}` never refers to {' or '.join(types)}. "
            f"It refers to: {', '.join(reached)}."
        )
    return Reverse((name, value), parameter, read_condition((source,), rest, value, hops=hops + 1))
