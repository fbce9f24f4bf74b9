"""`and or xor implies` with three values; the right side is asked where it counts (N1 §6.5)."""

from collections.abc import Callable

from .environment import Closure, Environment
from .nodes import Collection
from .values import EMPTY, FALSE, TRUE, boolean, truth


def _and(left: Closure, right: Closure) -> Closure:
    def run(this: Collection, env: Environment) -> Collection:
        one = truth(left(this, env))
        if one is False:
            return FALSE
        other = truth(right(this, env))
        if other is False:
            return FALSE
        return TRUE if one and other else EMPTY

    return run


def _or(left: Closure, right: Closure) -> Closure:
    def run(this: Collection, env: Environment) -> Collection:
        one = truth(left(this, env))
        if one:
            return TRUE
        other = truth(right(this, env))
        if other:
            return TRUE
        return FALSE if one is False and other is False else EMPTY

    return run


def _implies(left: Closure, right: Closure) -> Closure:
    def run(this: Collection, env: Environment) -> Collection:
        one = truth(left(this, env))
        if one is False:
            return TRUE
        other = truth(right(this, env))
        if one is None:
            return TRUE if other else EMPTY
        return boolean(other)

    return run


def exclusive(left: Collection, right: Collection, env: Environment) -> Collection:
    """Return what `xor` says; both sides count always."""
    one, other = truth(left), truth(right)
    return boolean(None if one is None or other is None else one is not other)


LOGIC: dict[str, Callable[[Closure, Closure], Closure]] = {
    "and": _and,
    "or": _or,
    "implies": _implies,
}
