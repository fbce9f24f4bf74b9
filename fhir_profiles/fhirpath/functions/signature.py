"""How a function takes its input and arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..environment import Closure, Environment
from ..nodes import Collection

VALUES, CRITERIA, TYPES = "values", "criteria", "types"


@dataclass(frozen=True, slots=True)
class Function:
    """`run(items, env, *arguments)`; what an argument is depends on `kind`.

    VALUES: a collection, evaluated on the context around the call. CRITERIA: a closure that the
    function calls on each item. TYPES: a predicate made of a type specifier.
    """

    run: Callable[..., Collection]
    low: int
    high: int
    kind: str


@dataclass(frozen=True, slots=True)
class Order:
    """One key of `sort()`."""

    closure: Closure
    descending: bool


def values(run: Callable[..., Collection], low: int = 0, high: int | None = None) -> Function:
    """Declare a function of evaluated arguments."""
    return Function(run, low, low if high is None else high, VALUES)


def criteria(run: Callable[..., Collection], low: int = 0, high: int | None = None) -> Function:
    """Declare a function of expressions that it evaluates itself."""
    return Function(run, low, low if high is None else high, CRITERIA)


def each(items: Collection, env: Environment, closure: Closure) -> list[tuple[Any, Collection]]:
    """Evaluate the closure on every item with its $index; return items and results."""
    outer = env.index
    found = []
    for index, item in enumerate(items):
        env.index = index
        found.append((item, closure([item], env)))
    env.index = outer
    return found
