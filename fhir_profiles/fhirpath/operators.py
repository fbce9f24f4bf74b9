"""Operators that are not about types: comparison, arithmetic, logic, membership (N1 §6)."""

from collections.abc import Callable
from decimal import ROUND_DOWN, Context, Decimal, DecimalException, Overflow
from typing import Any

from . import quantity as quantities
from . import temporal as temporals
from .environment import MAX_TEXT, Environment
from .equality import _aligned, equal, equivalent, key
from .errors import FhirPathError
from .nodes import Collection, Node
from .quantity import Quantity
from .temporal import Temporal
from .temporal_arithmetic import add as add_duration
from .values import (
    FALSE,
    TRUE,
    boolean,
    kind_of,
    optional,
    quantity_of,
    single,
    system,
    text,
    truth,
)

Operator = Callable[[Collection, Collection, Environment], Collection]

CONTEXT = Context(prec=28, Emax=999_999, Emin=-999_999, traps=[Overflow])


def compare(left: Collection, right: Collection, symbol: str) -> int | None:
    """Order two single items; None when either is missing or the answer is open."""
    for items in (left, right):
        if len(items) > 1:
            raise FhirPathError(f"{symbol} takes one item on each side and got {len(items)}")
    if not left or not right:
        return None
    one, other = _aligned(left[0], right[0], system(left[0]), system(right[0]))
    if one is None or other is None:
        return None
    both_text = type(one) is str and type(other) is str
    if both_text or (_is_number(one) and _is_number(other)):
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


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is Decimal


def _ordering(symbol: str, holds: Callable[[int], bool]) -> Operator:
    def run(left: Collection, right: Collection, env: Environment) -> Collection:
        order = compare(left, right, symbol)
        return boolean(None if order is None else holds(order))

    return run


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def _add(one: Any, other: Any) -> Any:
    if type(one) is str and type(other) is str:
        return bounded(one + other)
    if isinstance(one, Temporal) and isinstance(other, Quantity):
        return add_duration(one, other)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return _sum(one, other, 1)
    return narrowed(CONTEXT.add(*_numbers("+", one, other)), one, other)


def _subtract(one: Any, other: Any) -> Any:
    if isinstance(one, Temporal) and isinstance(other, Quantity):
        return add_duration(one, other, -1)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return _sum(one, other, -1)
    return narrowed(CONTEXT.subtract(*_numbers("-", one, other)), one, other)


def _sum(one: Quantity, other: Quantity, sign: int) -> Quantity | None:
    if one.unit == other.unit:
        return Quantity(one.value + sign * other.value, one.unit, one.calendar)
    first, second = quantities.canonical(one), quantities.canonical(other)
    if first is None or second is None or first[1] != second[1] or not first[0]:
        return None
    # Kept in the unit of the left operand.
    factor = first[0] / one.value
    return Quantity((first[0] + sign * second[0]) / factor, one.unit, one.calendar)


def _multiply(one: Any, other: Any) -> Any:
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return quantities.product(*_quantities("*", one, other), 1)
    return narrowed(CONTEXT.multiply(*_numbers("*", one, other)), one, other)


def _divide(one: Any, other: Any) -> Any:
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return quantities.product(*_quantities("/", one, other), -1)
    first, second = _numbers("/", one, other)
    return CONTEXT.divide(first, second) if second else None


def _div(one: Any, other: Any) -> Any:
    first, second = _numbers("div", one, other)
    if not second:
        return None
    return whole(CONTEXT.divide(first, second).to_integral_value(ROUND_DOWN))


def _mod(one: Any, other: Any) -> Any:
    first, second = _numbers("mod", one, other)
    return narrowed(CONTEXT.remainder(first, second), one, other) if second else None


def _numbers(symbol: str, one: Any, other: Any) -> tuple[Decimal, Decimal]:
    if not _is_number(one) or not _is_number(other):
        raise FhirPathError(f"{symbol} cannot take {kind_of(one)} and {kind_of(other)}")
    return Decimal(one), Decimal(other)


def _quantities(symbol: str, one: Any, other: Any) -> tuple[Quantity, Quantity]:
    found = [Quantity(Decimal(x)) if _is_number(x) else x for x in (one, other)]
    if not all(isinstance(x, Quantity) for x in found):
        raise FhirPathError(f"{symbol} cannot take {kind_of(one)} and {kind_of(other)}")
    return found[0], found[1]


def narrowed(value: Decimal, *operands: Any) -> int | Decimal | None:
    """Return an integer where all operands were integers; None beyond 32 bits (N1 §6.6)."""
    return whole(value) if all(type(each) is int for each in operands) else value


def whole(value: Decimal) -> int | None:
    """Return an integer, None when it does not fit into 32 bits."""
    if not value.is_finite() or not -2_147_483_648 <= value <= 2_147_483_647:
        return None
    return int(value)


def bounded(value: str) -> str:
    """Refuse a string that grows without end."""
    if len(value) > MAX_TEXT:
        raise FhirPathError(f"A string of more than {MAX_TEXT} characters was made")
    return value


def _arithmetic(symbol: str, calculate: Callable[[Any, Any], Any]) -> Operator:
    def run(left: Collection, right: Collection, env: Environment) -> Collection:
        one, other = _operand(left, symbol), _operand(right, symbol)
        if one is None or other is None:
            return []
        try:
            return optional(calculate(one, other))
        except DecimalException:
            return []

    return run


def _operand(items: Collection, symbol: str) -> Any:
    if len(items) == 1:
        return quantity_of(items[0])
    return single(items, symbol)


def _concatenate(left: Collection, right: Collection, env: Environment) -> Collection:
    return [bounded((_shown(left) or "") + (_shown(right) or ""))]


def _shown(items: Collection) -> str | None:
    return text(items, "&")


def negative(items: Collection) -> Collection:
    """Unary minus."""
    value = _operand(items, "-")
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [Quantity(-value.value, value.unit, value.calendar)]
    if not _is_number(value):
        raise FhirPathError(f"- takes a number or quantity and got {kind_of(value)}")
    return [-value]


def positive(items: Collection) -> Collection:
    """Unary plus: a check only."""
    negative(items)
    return items


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


def _xor(left: Collection, right: Collection, env: Environment) -> Collection:
    one, other = truth(left), truth(right)
    return boolean(None if one is None or other is None else one is not other)


OPERATORS: dict[str, Operator] = {
    "=": _equals, "!=": _not_equals, "~": _equivalent, "!~": _not_equivalent,
    "<": _ordering("<", lambda order: order < 0), "<=": _ordering("<=", lambda order: order <= 0),
    ">": _ordering(">", lambda order: order > 0), ">=": _ordering(">=", lambda order: order >= 0),
    "+": _arithmetic("+", _add), "-": _arithmetic("-", _subtract),
    "*": _arithmetic("*", _multiply), "/": _arithmetic("/", _divide),
    "div": _arithmetic("div", _div), "mod": _arithmetic("mod", _mod),
    "&": _concatenate, "|": union, "in": _in, "contains": _contains, "xor": _xor,
}  # fmt: skip
