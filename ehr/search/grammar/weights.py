"""What a search may cost at most, by what it asks: values to compare with, references to follow."""

from collections.abc import Sequence

from ehr.errors import TooCostly
from ehr.search.request import (
    AllOf,
    AnyOf,
    Chain,
    Comparison,
    Condition,
    Criterion,
    Negation,
    Reverse,
)

MAXIMUM_VALUES = 2_000  # each of them is some bound values, which engines limit
# To plan 50 of them together takes PostgreSQL ten seconds.
MAXIMUM_FOLLOWED = 24
# A pair of values is a question of its own, where plain values share one list.
_COMPOSITE_WEIGHT = 20


def check_weight(conditions: Sequence[Condition]) -> None:
    """Raise TooCostly where a search asks more than the server answers at once."""
    if sum(map(_values, conditions)) > MAXIMUM_VALUES:
        raise TooCostly(
            f"The search compares with more than {MAXIMUM_VALUES} values, counted for each type "
            "(for a uri `:above`, each path that it lies under). Name fewer values, or fewer types."
        )
    if sum(map(_followed, conditions)) > MAXIMUM_FOLLOWED:
        raise TooCostly(
            f"The search follows more than {MAXIMUM_FOLLOWED} references, counted for each type "
            "that they lead to. Name the types that you mean, or ask in two searches."
        )


def _values(condition: Condition) -> int:
    match condition:
        case Comparison():
            return len(condition.parameters)
        case Criterion():
            return sum(_compared(condition, one.kind) for one in condition.parameters)
        case _:
            return sum(map(_values, _parts(condition)))


def _compared(criterion: Criterion, kind: str) -> int:
    """Return how many values the alternatives of a criterion are."""
    if kind == "uri" and criterion.modifier == "above":
        return sum(1 + value.count("/") for value in criterion.values)
    return len(criterion.values) * (_COMPOSITE_WEIGHT if kind == "composite" else 1)


def _followed(condition: Condition) -> int:
    """Return how many ends the chains of a condition have."""
    ends = [_followed(one) for one in _parts(condition)]
    if isinstance(condition, Chain | Reverse):
        ends = [max(one, 1) for one in ends]
    return sum(ends)


def _parts(condition: Condition) -> Sequence[Condition]:
    match condition:
        case Chain():
            return [one for _, one in condition.inner]
        case Reverse():
            return [condition.inner]
        case AllOf() | AnyOf():
            return condition.parts
        case Negation():
            return [condition.part]
        case _:
            return []
