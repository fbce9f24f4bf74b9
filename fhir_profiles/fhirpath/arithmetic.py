"""`+ - * / div mod &` and the signs: numbers, quantities, dates with durations, texts (N1 §6.6).

Exact decimals of 28 digits; integers of 32 bits. What cannot be calculated is empty.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, Context, Decimal, DecimalException, Overflow
from typing import Any

from . import quantity as quantities
from .environment import Environment, Operator
from .errors import FhirPathError
from .nodes import Collection
from .quantity import Quantity
from .temporal import Temporal
from .temporal_arithmetic import add as add_duration
from .values import is_number, kind_of, optional, quantity_of, single, text

CONTEXT = Context(prec=28, Emax=999_999, Emin=-999_999, traps=[Overflow])


def _add(one: Any, other: Any) -> Any:
    if type(one) is str and type(other) is str:
        return one + other
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
    if not is_number(one) or not is_number(other):
        raise FhirPathError(f"{symbol} cannot take {kind_of(one)} and {kind_of(other)}")
    return Decimal(one), Decimal(other)


def _quantities(symbol: str, one: Any, other: Any) -> tuple[Quantity, Quantity]:
    found = [Quantity(Decimal(x)) if is_number(x) else x for x in (one, other)]
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


def _arithmetic(symbol: str, calculate: Callable[[Any, Any], Any]) -> Operator:
    def run(left: Collection, right: Collection, env: Environment) -> Collection:
        one, other = _operand(left, symbol), _operand(right, symbol)
        if one is None or other is None:
            return []
        try:
            result = calculate(one, other)
        except DecimalException:
            return []
        return optional(env.made(result) if type(result) is str else result)

    return run


def _operand(items: Collection, symbol: str) -> Any:
    if len(items) == 1:
        return quantity_of(items[0])
    return single(items, symbol)


def _concatenate(left: Collection, right: Collection, env: Environment) -> Collection:
    return [env.made((_shown(left) or "") + (_shown(right) or ""))]


def _shown(items: Collection) -> str | None:
    return text(items, "&")


def negative(items: Collection) -> Collection:
    """Unary minus."""
    value = _operand(items, "-")
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [Quantity(-value.value, value.unit, value.calendar)]
    if not is_number(value):
        raise FhirPathError(f"- takes a number or quantity and got {kind_of(value)}")
    return [-value]


def positive(items: Collection) -> Collection:
    """Unary plus: a check only."""
    negative(items)
    return items


ARITHMETIC: dict[str, Operator] = {
    "+": _arithmetic("+", _add), "-": _arithmetic("-", _subtract),
    "*": _arithmetic("*", _multiply), "/": _arithmetic("/", _divide),
    "div": _arithmetic("div", _div), "mod": _arithmetic("mod", _mod), "&": _concatenate,
}  # fmt: skip
