"""`=`, `~` and the key that tells items apart (FHIRPath N1 §6.1)."""

from collections import Counter
from decimal import Decimal
from typing import Any

from . import quantity as quantities
from . import temporal as temporals
from .nodes import Collection, Node
from .quantity import Quantity
from .temporal import Temporal
from .values import quantity_of, system


def equal(left: Collection, right: Collection) -> bool | None:
    """Compare two collections in order; None when either is empty or precision leaves it open."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    unknown = False
    for one, other in zip(left, right, strict=True):
        answer = items_equal(one, other)
        if answer is False:
            return False
        unknown = unknown or answer is None
    return None if unknown else True


def items_equal(left: Any, right: Any) -> bool | None:
    """Compare two items."""
    one, other = system(left), system(right)
    if type(one) is str and type(other) is str:
        return one == other
    one, other = aligned(left, right, one, other)
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        if not temporals.comparable(one, other):
            return False
        order = temporals.compare(one, other)
        return None if order is None else order == 0
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        order = quantities.compare(one, other)
        return None if order is None else order == 0
    if isinstance(one, Node) is not isinstance(other, Node):
        return False
    return bool(key(one) == key(other))


def equivalent(left: Collection, right: Collection) -> bool:
    """Compare two collections without order, loosely: `~` never answers unknown."""
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return _items_equivalent(left[0], right[0])
    return Counter(map(loose_key, left)) == Counter(map(loose_key, right))


def key(item: Any) -> Any:
    """Return a hashable that is the same for equal items: used by distinct, union, in …"""
    value = quantity_of(item)
    if isinstance(value, Quantity):
        reduced = quantities.canonical(value)
        return ("quantity", *(reduced or (value.value, value.unit)))
    if isinstance(value, Temporal):
        moment = temporals.utc(value)
        return ("temporal", value.kind == "Time", moment.parts, moment.offset)
    if isinstance(value, Node):
        return _frozen(value.value, False)
    return _frozen(value, False)


def loose_key(item: Any) -> Any:
    """Return a hashable that is the same for equivalent items."""
    value = quantity_of(item)
    if isinstance(value, Quantity):
        reduced = quantities.canonical(value, loose=True)
        return ("quantity", *(reduced or (value.value, value.unit)))
    if isinstance(value, Temporal):
        return key(value)
    return _frozen(value.value if isinstance(value, Node) else value, True)


def aligned(left: Any, right: Any, one: Any, other: Any) -> tuple[Any, Any]:
    """Convert implicitly: number and text to what stands on the other side (N1 §5.5)."""
    one, other = (
        quantity_of(left) if _is_object(one) else one,
        (quantity_of(right) if _is_object(other) else other),
    )
    if isinstance(one, Temporal) and type(other) is str:
        other = _same_kind(one, other)
    elif isinstance(other, Temporal) and type(one) is str:
        one = _same_kind(other, one)
    elif isinstance(one, Quantity) and type(other) in (int, Decimal):
        other = Quantity(Decimal(other))
    elif isinstance(other, Quantity) and type(one) in (int, Decimal):
        one = Quantity(Decimal(one))
    return one, other


def _is_object(value: Any) -> bool:
    return isinstance(value, Node)


def _same_kind(model: Temporal, text: str) -> Any:
    parse = temporals.parse_time if model.kind == "Time" else temporals.parse_date_time
    return parse(text) or text


def _items_equivalent(left: Any, right: Any) -> bool:
    one, other = aligned(left, right, system(left), system(right))
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        return temporals.comparable(one, other) and temporals.compare(one, other) == 0
    if isinstance(one, Decimal | int) and isinstance(other, Decimal | int):
        return _numbers_equivalent(one, other)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return _quantities_equivalent(one, other)
    return bool(loose_key(one) == loose_key(other))


def _numbers_equivalent(one: int | Decimal, other: int | Decimal) -> bool:
    """Decimals are rounded to the precision of the less precise one."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    places = min(_places(one), _places(other))
    return round(Decimal(one), places) == round(Decimal(other), places)


def _places(value: int | Decimal) -> int:
    exponent = Decimal(value).normalize().as_tuple().exponent
    return max(0, min(-exponent, 28)) if isinstance(exponent, int) else 0


def _quantities_equivalent(one: Quantity, other: Quantity) -> bool:
    first = quantities.canonical(one, loose=True)
    second = quantities.canonical(other, loose=True)
    if first is None or second is None:
        return one.unit.casefold() == other.unit.casefold() and one.value == other.value
    return first[1] == second[1] and _numbers_equivalent(first[0], second[0])


def _frozen(value: Any, loose: bool) -> Any:
    if isinstance(value, dict):
        return frozenset((name, _frozen(each, loose)) for name, each in value.items())
    if isinstance(value, list):
        found = tuple(_frozen(each, loose) for each in value)
        return frozenset(Counter(found).items()) if loose else found
    if isinstance(value, bool) or value is None:
        return ("boolean", value)
    if isinstance(value, str):
        return " ".join(value.casefold().split()) if loose else value
    if isinstance(value, float):
        return Decimal(repr(value))
    return value
