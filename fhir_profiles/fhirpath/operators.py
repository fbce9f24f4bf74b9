"""Operators on two collections: order, equality, membership; the table of all (N1 §6)."""

from collections.abc import Callable
from typing import Any

from . import quantity as quantities
from . import temporal as temporals
from .arithmetic import ARITHMETIC
from .environment import Environment, Operator
from .equality import aligned, equal, equivalent, key
from .errors import FhirPathError
from .logic import exclusive
from .nodes import Collection, Node
from .quantity import Quantity
from .temporal import Temporal
from .values import FALSE, TRUE, boolean, is_number, kind_of, system


def compare(left: Collection, right: Collection, symbol: str) -> int | None:
    """Order two single items; None when either is missing or the answer is open."""
    for items in (left, right):
        if len(items) > 1:
            raise FhirPathError(f"{symbol} takes one item on each side and got {len(items)}")
    if not left or not right:
        return None
    one, other = aligned(left[0], right[0], system(left[0]), system(right[0]))
    if one is None or other is None:
        return None
    both_text = type(one) is str and type(other) is str
    if both_text or (is_number(one) and is_number(other)):
        return int(one > other) - int(one < other)
    if (
        isinstance(one, Temporal)
        and isinstance(other, Temporal)
        and temporals.comparable(one, other)
    ):
        return temporals.compare(one, other)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return quantities.compare(one, other)
    raise FhirPathError(f"{symbol} cannot compare {kind_of(one)} with {kind_of(other)}")


def _ordering(symbol: str, holds: Callable[[int], bool]) -> Operator:
    def run(left: Collection, right: Collection, env: Environment) -> Collection:
        order = compare(left, right, symbol)
        return boolean(None if order is None else holds(order))

    return run


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def union(left: Collection, right: Collection, env: Environment) -> Collection:
    """Merge two collections without duplicates."""
    return distinct([*left, *right], env)


def distinct(items: Collection, env: Environment) -> Collection:
    """Return the items without duplicates, first ones kept."""
    if len(items) < 2:
        return items
    env.spend(len(items))
    env.watch()
    seen: set[Any] = set()
    out = []
    for item in items:
        mark = key(item)
        if mark not in seen:
            seen.add(mark)
            out.append(item)
    return out


def _in(left: Collection, right: Collection, env: Environment) -> Collection:
    if not left:
        return []
    if len(left) > 1:
        raise FhirPathError(f"in takes one item on its left and got {len(left)}")
    env.spend(len(right))
    env.watch()
    if len(right) < 2:
        return boolean(bool(right) and equal(left, right) is True)
    mark = key(left[0])
    return boolean(any(key(item) == mark for item in right))


def _contains(left: Collection, right: Collection, env: Environment) -> Collection:
    return _in(right, left, env)


def _equals(left: Collection, right: Collection, env: Environment) -> Collection:
    if len(left) == 1 and len(right) == 1:
        # Most comparisons are of a code with a literal: no conversion needed.
        literal, item = right[0], left[0]
        if type(literal) is str and (item.value if type(item) is Node else item) == literal:
            return TRUE
    return boolean(_equal(left, right, env))


def _equal(left: Collection, right: Collection, env: Environment) -> bool | None:
    # Comparing objects takes time in proportion to their size.
    env.spend(len(left))
    if any(type(item) is Node and type(item.value) is dict for item in left[:8]):
        env.watch()
    return equal(left, right)


def _not_equals(left: Collection, right: Collection, env: Environment) -> Collection:
    return boolean(_negated(_equal(left, right, env)))


def _equivalent(left: Collection, right: Collection, env: Environment) -> Collection:
    env.spend(len(left))
    env.watch()
    return boolean(equivalent(left, right))


def _not_equivalent(left: Collection, right: Collection, env: Environment) -> Collection:
    return FALSE if _equivalent(left, right, env) is TRUE else TRUE


OPERATORS: dict[str, Operator] = {
    "=": _equals, "!=": _not_equals, "~": _equivalent, "!~": _not_equivalent,
    "<": _ordering("<", lambda order: order < 0), "<=": _ordering("<=", lambda order: order <= 0),
    ">": _ordering(">", lambda order: order > 0), ">=": _ordering(">=", lambda order: order >= 0),
    "|": union, "in": _in, "contains": _contains, "xor": exclusive, **ARITHMETIC,
}  # fmt: skip
