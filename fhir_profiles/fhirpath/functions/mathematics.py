"""Mathematics (FHIRPath N1 §5.7)."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal, DecimalException

from ..arithmetic import CONTEXT, narrowed, whole
from ..environment import Environment
from ..errors import FhirPathError
from ..nodes import Collection
from ..quantity import Quantity
from ..values import EMPTY, integer, number, optional, quantity_of
from .signature import Function, values


def absolute(items: Collection, env: Environment) -> Collection:
    """Return the magnitude of a number or quantity."""
    value = quantity_of(items[0]) if len(items) == 1 else number(items, "abs()")
    if isinstance(value, Quantity):
        return [Quantity(abs(value.value), value.unit, value.calendar)]
    value = number([] if value is None else [value], "abs()")
    return optional(None if value is None else abs(value))


def power(items: Collection, env: Environment, exponent: Collection) -> Collection:
    """Raise to a power; nothing where the result is no real number."""
    base, raised = number(items, "power()"), number(exponent, "power()")
    if base is None or raised is None:
        return EMPTY
    try:
        found = CONTEXT.power(Decimal(base), Decimal(raised))
    except DecimalException:
        return EMPTY
    if not found.is_finite():
        return EMPTY
    return optional(narrowed(found, base, raised) if raised >= 0 else found)


def log(items: Collection, env: Environment, base: Collection) -> Collection:
    """Return the logarithm to a base."""
    value, foot = number(items, "log()"), number(base, "log()")
    if value is None or foot is None or value <= 0 or foot <= 0 or foot == 1:
        return EMPTY
    found = CONTEXT.divide(CONTEXT.ln(Decimal(value)), CONTEXT.ln(Decimal(foot)))
    # Two rounded logarithms: the last digits of the quotient mean nothing.
    return [round(found, 20)]


def rounded(items: Collection, env: Environment, precision: Collection = EMPTY) -> Collection:
    """Round half away from zero to a number of decimal places."""
    value, places = number(items, "round()"), integer(precision, "round()") or 0
    if places < 0:
        raise FhirPathError("round() takes a precision of 0 or more")
    if value is None:
        return EMPTY
    if places > 28 or -Decimal(value).as_tuple().exponent <= places:  # type: ignore[operator]  # finite
        return [Decimal(value)]
    try:
        return [Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)]
    except DecimalException:
        return EMPTY


def _integral(name: str, mode: str) -> Function:
    def run(items: Collection, env: Environment) -> Collection:
        value = number(items, f"{name}()")
        if value is None:
            return EMPTY
        return optional(whole(Decimal(value).to_integral_value(mode)))

    return values(run)


def _real(name: str, calculate: Callable[[Decimal], Decimal]) -> Function:
    def run(items: Collection, env: Environment) -> Collection:
        value = number(items, f"{name}()")
        if value is None:
            return EMPTY
        try:
            found = calculate(Decimal(value))
        except DecimalException:
            return EMPTY
        return [found] if found.is_finite() else EMPTY

    return values(run)


FUNCTIONS = {
    "abs": values(absolute), "ceiling": _integral("ceiling", ROUND_CEILING),
    "floor": _integral("floor", ROUND_FLOOR), "truncate": _integral("truncate", ROUND_DOWN),
    "exp": _real("exp", CONTEXT.exp), "ln": _real("ln", CONTEXT.ln), "log": values(log, 1),
    "sqrt": _real("sqrt", CONTEXT.sqrt), "power": values(power, 1), "round": values(rounded, 0, 1),
}  # fmt: skip
