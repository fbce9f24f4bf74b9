"""Conversion (FHIRPath N1 §5.5) and `iif`."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..arithmetic import whole
from ..environment import Closure, Environment
from ..errors import FhirPathError
from ..nodes import Collection, Node
from ..quantity import Quantity, canonical, parse_quantity
from ..temporal import DAY, Temporal, parse_date, parse_date_time, parse_time
from ..values import EMPTY, boolean, optional, quantity_of, text, truth
from .signature import Function, criteria, values

Convert = Callable[[Any], Any]


def iif(
    items: Collection,
    env: Environment,
    test: Closure,
    then: Closure,
    otherwise: Closure | None = None,
) -> Collection:
    """Evaluate one of two expressions, the other not at all."""
    if len(items) > 1:
        raise FhirPathError(f"iif() takes one item and got {len(items)}")
    answer = test(items, env)
    if len(answer) == 1 and not _is_boolean(answer[0]):
        raise FhirPathError("The criterion of iif() must be a Boolean")
    if truth(answer):
        return then(items, env)
    return otherwise(items, env) if otherwise is not None else EMPTY


def _is_boolean(item: Any) -> bool:
    value = item.value if type(item) is Node else item
    return value is None or type(value) is bool


def _to_boolean(value: Any) -> bool | None:
    if type(value) is bool:
        return value
    if type(value) in (int, Decimal):
        return {0: False, 1: True}.get(value)
    if type(value) is str:
        return _WORDS.get(value.lower())
    return None


def _to_integer(value: Any) -> int | None:
    if type(value) in (bool, int):
        return int(value)
    if type(value) is str and _INTEGER.fullmatch(value):
        return whole(Decimal(value))
    return None


def _to_decimal(value: Any) -> Decimal | None:
    if type(value) in (bool, int, Decimal):
        return Decimal(value)
    if type(value) is str and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def to_text(value: Any) -> str | None:
    """Write a System value as a string; None for a complex element."""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is Decimal:
        return format(value, "f") if abs(value.adjusted()) < 100 else str(value)
    return str(value) if isinstance(value, str | int | Temporal | Quantity) else None


def _to_date(value: Any) -> Temporal | None:
    if isinstance(value, Temporal) and value.kind != "Time":
        return Temporal("Date", value.parts[:DAY])
    return parse_date(value) if type(value) is str else None


def _to_date_time(value: Any) -> Temporal | None:
    if isinstance(value, Temporal) and value.kind != "Time":
        return Temporal("DateTime", value.parts, value.offset)
    return parse_date_time(value) if type(value) is str else None


def _to_time(value: Any) -> Temporal | None:
    if isinstance(value, Temporal):
        return value if value.kind == "Time" else None
    return parse_time(value.removeprefix("T")) if type(value) is str else None


def _to_quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if type(value) in (bool, int, Decimal):
        return Quantity(Decimal(value))
    return parse_quantity(value) if type(value) is str else None


def _function(name: str, convert: Convert) -> Function:
    def run(items: Collection, env: Environment) -> Collection:
        return optional(convert(_one(items, f"to{name}()")))

    return values(run)


def _check(name: str, convert: Convert) -> Function:
    def run(items: Collection, env: Environment) -> Collection:
        if not items:
            return EMPTY
        return boolean(convert(_one(items, f"convertsTo{name}()")) is not None)

    return values(run)


def _one(items: Collection, what: str) -> Any:
    if len(items) > 1:
        raise FhirPathError(f"{what} takes one item and got {len(items)}")
    return quantity_of(items[0]) if items else None


def to_quantity(items: Collection, env: Environment, unit: Collection = EMPTY) -> Collection:
    """Convert to a quantity, in another unit when one is given."""
    value = _to_quantity(_one(items, "toQuantity()"))
    return optional(_in_unit(value, text(unit, "toQuantity()")))


def converts_to_quantity(
    items: Collection, env: Environment, unit: Collection = EMPTY
) -> Collection:
    """Tell whether a conversion to a quantity would give one."""
    return boolean(bool(to_quantity(items, env, unit))) if items else EMPTY


def _in_unit(value: Quantity | None, unit: str | None) -> Quantity | None:
    if value is None or unit is None or value.unit == unit:
        return value
    have, want = canonical(value), canonical(Quantity(Decimal(1), unit))
    if have is None or want is None or have[1] != want[1]:
        return None
    return Quantity(have[0] / want[0], unit)


_CONVERSIONS: dict[str, Convert] = {
    "Boolean": _to_boolean, "Integer": _to_integer, "Decimal": _to_decimal, "String": to_text,
    "Date": _to_date, "DateTime": _to_date_time, "Time": _to_time,
}  # fmt: skip
_WORDS = {
    "true": True, "t": True, "yes": True, "y": True, "1": True, "1.0": True,
    "false": False, "f": False, "no": False, "n": False, "0": False, "0.0": False,
}  # fmt: skip
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,60}(?:\.\d{1,60})?", re.ASCII)

FUNCTIONS = {
    "iif": criteria(iif, 2, 3),
    "toQuantity": values(to_quantity, 0, 1),
    "convertsToQuantity": values(converts_to_quantity, 0, 1),
    **{f"to{name}": _function(name, convert) for name, convert in _CONVERSIONS.items()},
    **{f"convertsTo{name}": _check(name, convert) for name, convert in _CONVERSIONS.items()},
}
