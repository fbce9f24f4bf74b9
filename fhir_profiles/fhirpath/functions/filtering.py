"""Filtering, projection, aggregation and order (FHIRPath N1 §5.2 and §7; `sort` of 3.0)."""

from functools import cmp_to_key
from typing import Any

from ..environment import Closure, Environment
from ..equality import key
from ..nodes import Collection
from ..operators import compare
from ..values import truth
from .signature import Order, criteria, each


def where(items: Collection, env: Environment, test: Closure) -> Collection:
    """Keep the items that meet the criteria."""
    outer = env.index
    out = []
    for index, item in enumerate(items):
        env.index = index
        if truth(test([item], env)):
            out.append(item)
    env.index = outer
    return out


def select(items: Collection, env: Environment, projection: Closure) -> Collection:
    """Evaluate the projection on every item and join the results."""
    out: Collection = []
    for _, found in each(items, env, projection):
        env.spend(len(found))
        out.extend(found)
    return out


def repeat(items: Collection, env: Environment, projection: Closure) -> Collection:
    """Evaluate the projection again and again on what it finds that is new."""
    seen: set[Any] = set()
    out: Collection = []
    while items:
        new = []
        env.spend(8 * len(items))
        for item in select(items, env, projection):
            mark = key(item)
            if mark not in seen:
                seen.add(mark)
                new.append(item)
        out.extend(new)
        items = new
    return out


def aggregate(
    items: Collection, env: Environment, step: Closure, start: Closure | None = None
) -> Collection:
    """Fold the items: `$total` holds what came of those before."""
    outer_total, outer_index = env.total, env.index
    total: Collection = start(items, env) if start is not None else []
    for index, item in enumerate(items):
        env.index, env.total = index, total
        total = step([item], env)
        env.spend(len(total))
    env.total, env.index = outer_total, outer_index
    return total


def sort(items: Collection, env: Environment, *orders: Order) -> Collection:
    """Order the items by their own value or by keys; a missing key comes first."""
    rows = [(item, _keys([item], env, orders)) for item in items]
    env.spend(len(items) * 8)

    def difference(one: Any, other: Any) -> int:
        for (left, down), (right, _) in zip(one[1], other[1], strict=True):
            order = _order(left, right, down)
            if order:
                return order
        return 0

    return [item for item, _ in sorted(rows, key=cmp_to_key(difference))]


def _keys(
    items: Collection, env: Environment, orders: tuple[Order, ...]
) -> list[tuple[Collection, bool]]:
    if not orders:
        return [(items, False)]
    return [(order.closure(items, env), order.descending) for order in orders]


def _order(left: Collection, right: Collection, down: bool) -> int:
    """Order two keys; an empty one comes first in either direction."""
    if not left or not right:
        return (not right) - (not left)
    order = compare(left, right, "sort()") or 0
    return -order if down else order


FUNCTIONS = {
    "where": criteria(where, 1), "select": criteria(select, 1), "repeat": criteria(repeat, 1),
    "aggregate": criteria(aggregate, 1, 2), "sort": criteria(sort, 0, 16),
}  # fmt: skip
