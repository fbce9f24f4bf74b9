"""From elements to the values operators work on (FHIR R4 §2.9.1.1 "Use of FHIR data types").

System values are bool, str, int, Decimal, Temporal and Quantity; a complex element stays a Node.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .errors import FhirPathError
from .nodes import Collection, Node
from .quantity import Quantity, from_fhir, to_fhir
from .temporal import Temporal, parse_date, parse_date_time, parse_time

TRUE: Collection = [True]
FALSE: Collection = [False]
EMPTY: Collection = []

_QUANTITIES = (
    "Quantity",
    "Age",
    "Count",
    "Distance",
    "Duration",
    "SimpleQuantity",
    "MoneyQuantity",
)
_NUMBERS = {
    bool: "Boolean",
    str: "String",
    int: "Integer",
    Decimal: "Decimal",
    Quantity: "Quantity",
}


def system(item: Any) -> Any:
    """Return the System value of an item; None for a primitive without a value."""
    if type(item) is not Node:
        return item
    convert = _CONVERT.get(item.type)
    value = item.value
    if convert is not None:
        converted = convert(value)
        return value if converted is None else converted
    if type(value) is dict or type(value) is list:
        return item
    return Decimal(repr(value)) if type(value) is float else value


def system_type(value: Any) -> str:
    """Return the System type name of a plain value: "Integer", "DateTime" …"""
    return value.kind if isinstance(value, Temporal) else _NUMBERS.get(type(value), "Any")


def single(items: Collection, what: str = "This operation") -> Any:
    """Return the System value of the only item, None of an empty collection; else raise."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"{what} takes one item and got {len(items)}")
    return system(items[0])


def truth(items: Collection) -> bool | None:
    """Read a collection as a boolean (N1 §4.5 Singleton evaluation)."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"A condition takes one item and got {len(items)}")
    value = items[0]
    if type(value) is Node:
        if value.value is None:
            return None
        value = value.value
    return value if type(value) is bool else True


def text(items: Collection, what: str) -> str | None:
    """Return the only item as a string, None of an empty collection; raise for anything else."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"{what} takes one string and got {len(items)} items")
    item = items[0]
    value = item.value if type(item) is Node else item
    if type(value) is str:
        return value
    if value is None:
        return None
    raise FhirPathError(f"{what} takes a string and got {kind_of(item)}")


def integer(items: Collection, what: str) -> int | None:
    """Return the only item as an integer, None of an empty collection."""
    value = single(items, what)
    if value is None or type(value) is int:
        return value
    raise FhirPathError(f"{what} takes an integer and got {kind_of(value)}")


def number(items: Collection, what: str) -> int | Decimal | None:
    """Return the only item as a number, None of an empty collection."""
    value = single(items, what)
    if value is None or type(value) is int or type(value) is Decimal:
        return value
    raise FhirPathError(f"{what} takes a number and got {kind_of(value)}")


def is_number(value: Any) -> bool:
    """Tell whether a value of the system types is an Integer or a Decimal."""
    return type(value) is int or type(value) is Decimal


def kind_of(item: Any) -> str:
    """Name the type of an item for messages: "a HumanName", "a String"."""
    name = item.type or "element" if isinstance(item, Node) else system_type(item)
    return f"an {name}" if name[:1] in "AEIOUaeiou" else f"a {name}"


def boolean(value: bool | None) -> Collection:
    """Wrap a three-valued truth."""
    return EMPTY if value is None else TRUE if value else FALSE


def optional(value: Any) -> Collection:
    """Wrap a value; None is the empty collection."""
    return EMPTY if value is None else [value]


def plain(item: Any) -> Any:
    """Return an item as JSON-like Python: dict, str, bool, int or Decimal."""
    if type(item) is Node:
        return item.value
    if isinstance(item, Temporal):
        return str(item)
    return to_fhir(item) if isinstance(item, Quantity) else item


def _text_as(parse: Callable[[str], Temporal | None]) -> Callable[[Any], Any]:
    return lambda value: parse(value) if type(value) is str else None


def _decimal(value: Any) -> Any:
    return Decimal(str(value)) if type(value) in (int, float) else None


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "date": _text_as(parse_date),
    "dateTime": _text_as(parse_date_time),
    "instant": _text_as(parse_date_time),
    "time": _text_as(parse_time),
    "decimal": _decimal,
}


def quantity_of(item: Any) -> Any:
    """Return the System value of an item, and of a FHIR Quantity its System.Quantity."""
    if type(item) is Node and (item.type in _QUANTITIES or (not item.type and _looks_so(item))):
        converted = from_fhir(item.value)
        return item if converted is None else converted
    return system(item)


def _looks_so(node: Node) -> bool:
    return isinstance(node.value, dict) and "value" in node.value and "unit" in node.value
