"""Subsetting and combining (FHIRPath N1 §5.3 and §5.4)."""

from ..environment import Environment
from ..equality import key
from ..errors import FhirPathError
from ..nodes import Collection
from ..operators import distinct, union
from ..values import integer
from .signature import values


def index(items: Collection, env: Environment, position: Collection) -> Collection:
    """Return the item at a position, which counts from zero."""
    at = integer(position, "An index")
    return [] if at is None or at < 0 else items[at : at + 1]


def single(items: Collection, env: Environment) -> Collection:
    """Return the only item; more than one is an error."""
    if len(items) > 1:
        raise FhirPathError(f"single() takes one item and got {len(items)}")
    return items


def first(items: Collection, env: Environment) -> Collection:
    """Return the first item."""
    return items[:1]


def last(items: Collection, env: Environment) -> Collection:
    """Return the last item."""
    return items[-1:]


def tail(items: Collection, env: Environment) -> Collection:
    """Return all but the first item."""
    return items[1:]


def skip(items: Collection, env: Environment, number: Collection) -> Collection:
    """Leave out the first items."""
    size = integer(number, "skip()")
    return [] if size is None else items[max(size, 0) :]


def take(items: Collection, env: Environment, number: Collection) -> Collection:
    """Keep the first items only."""
    size = integer(number, "take()")
    return [] if size is None else items[: max(size, 0)]


def intersect(items: Collection, env: Environment, other: Collection) -> Collection:
    """Return what is in both, without duplicates."""
    env.spend(len(other))
    env.watch()
    known = {key(item) for item in other}
    return [item for item in distinct(items, env) if key(item) in known]


def exclude(items: Collection, env: Environment, other: Collection) -> Collection:
    """Return what is not in the other collection, duplicates and order kept."""
    env.spend(len(items) + len(other))
    env.watch()
    known = {key(item) for item in other}
    return [item for item in items if key(item) not in known]


def combine(items: Collection, env: Environment, other: Collection) -> Collection:
    """Append the other collection, duplicates kept."""
    env.spend(len(items) + len(other))
    return [*items, *other]


def unite(items: Collection, env: Environment, other: Collection) -> Collection:
    """Append the other collection, duplicates removed."""
    return union(items, other, env)


FUNCTIONS = {
    "single": values(single), "first": values(first), "last": values(last), "tail": values(tail),
    "skip": values(skip, 1), "take": values(take, 1), "intersect": values(intersect, 1),
    "exclude": values(exclude, 1), "combine": values(combine, 1), "union": values(unite, 1),
}  # fmt: skip
