"""Existence (FHIRPath N1 §5.1), and `not()` (§6.5.4)."""

from ..environment import Closure, Environment
from ..equality import key
from ..errors import FhirPathError
from ..nodes import Collection
from ..operators import distinct
from ..values import EMPTY, FALSE, TRUE, boolean, kind_of, system, truth
from .signature import criteria, values


def empty(items: Collection, env: Environment) -> Collection:
    """Tell whether there is nothing."""
    return FALSE if items else TRUE


def exists(items: Collection, env: Environment, test: Closure | None = None) -> Collection:
    """Tell whether there is an item, or one that meets the criteria."""
    if test is None:
        return TRUE if items else FALSE
    outer = env.index
    found = FALSE
    for index, item in enumerate(items):
        env.index = index
        if truth(test([item], env)):
            found = TRUE
            break
    env.index = outer
    return found


def all_(items: Collection, env: Environment, test: Closure) -> Collection:
    """Tell whether every item meets the criteria."""
    outer = env.index
    found = TRUE
    for index, item in enumerate(items):
        env.index = index
        if not truth(test([item], env)):
            found = FALSE
            break
    env.index = outer
    return found


def _booleans(items: Collection) -> list[bool]:
    found = [system(item) for item in items]
    for value in found:
        if type(value) is not bool:
            raise FhirPathError(f"A Boolean is needed here, not {kind_of(value)}")
    return found


def all_true(items: Collection, env: Environment) -> Collection:
    """Tell whether all items are true."""
    return boolean(all(_booleans(items)))


def any_true(items: Collection, env: Environment) -> Collection:
    """Tell whether any item is true."""
    return boolean(any(_booleans(items)))


def all_false(items: Collection, env: Environment) -> Collection:
    """Tell whether all items are false."""
    return boolean(not any(_booleans(items)))


def any_false(items: Collection, env: Environment) -> Collection:
    """Tell whether any item is false."""
    return boolean(not all(_booleans(items)))


def subset_of(items: Collection, env: Environment, other: Collection) -> Collection:
    """Tell whether all items are in the other collection."""
    env.spend(len(items) + len(other))
    env.watch()
    return boolean({key(item) for item in items} <= {key(item) for item in other})


def superset_of(items: Collection, env: Environment, other: Collection) -> Collection:
    """Tell whether all items of the other collection are in this one."""
    return subset_of(other, env, items)


def count(items: Collection, env: Environment) -> Collection:
    """Count the items."""
    return [len(items)]


def is_distinct(items: Collection, env: Environment) -> Collection:
    """Tell whether no two items are equal."""
    return boolean(len(distinct(items, env)) == len(items))


def not_(items: Collection, env: Environment) -> Collection:
    """Negate a boolean."""
    value = truth(items)
    return EMPTY if value is None else boolean(not value)


FUNCTIONS = {
    "empty": values(empty), "exists": criteria(exists, 0, 1), "all": criteria(all_, 1),
    "allTrue": values(all_true), "anyTrue": values(any_true), "allFalse": values(all_false),
    "anyFalse": values(any_false), "subsetOf": values(subset_of, 1),
    "supersetOf": values(superset_of, 1), "count": values(count), "distinct": values(distinct),
    "isDistinct": values(is_distinct), "not": values(not_),
}  # fmt: skip
