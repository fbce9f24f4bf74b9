"""Tree navigation and utility functions (FHIRPath N1 §5.8 and §5.9)."""

from ..environment import Closure, Environment
from ..nodes import Collection, Node
from ..nodes import children as children_of
from ..temporal import Temporal
from ..values import plain, text
from .signature import criteria, values


def children(items: Collection, env: Environment) -> Collection:
    """Return the direct children of every item."""
    out: Collection = []
    for item in items:
        if type(item) is Node:
            out.extend(children_of(item))
    env.spend(len(out))
    return out


def descendants(items: Collection, env: Environment) -> Collection:
    """Return children, their children and so on; not the items themselves."""
    out: Collection = []
    while items:
        items = children(items, env)
        out.extend(items)
    return out


def trace(
    items: Collection, env: Environment, name: Closure, projection: Closure | None = None
) -> Collection:
    """Report the items to the caller's trace and return them."""
    label = text(name(items, env), "trace()") or ""
    if env.trace is not None:
        shown = items if projection is None else projection(items, env)
        env.trace(label, [plain(item) for item in shown])
    return items


def now(items: Collection, env: Environment) -> Collection:
    """Return the moment of this evaluation."""
    return [env.now()]


def today(items: Collection, env: Environment) -> Collection:
    """Return the date of this evaluation."""
    return [Temporal("Date", env.now().parts[:3])]


def time_of_day(items: Collection, env: Environment) -> Collection:
    """Return the time of day of this evaluation."""
    return [Temporal("Time", (0, 0, 0, *env.now().parts[3:]))]


FUNCTIONS = {
    "children": values(children), "descendants": values(descendants),
    "trace": criteria(trace, 1, 2), "now": values(now), "today": values(today),
    "timeOfDay": values(time_of_day),
}  # fmt: skip
