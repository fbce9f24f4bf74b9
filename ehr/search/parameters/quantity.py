"""Quantity parameters: number, system and code (R4 search.html §3.1.1.5.8).

A row is (parameter, low, high, system, code, unit, base, base_low, base_high). The first five are
as given; hashes, 0 for none. `base` and its two numbers are the same in the base units of UCUM,
where the code has any: "the system may do unit conversion" of what names UCUM and a code, and there
5.4 mg is 5400 ug. Stored comparators and Ranges are ranges, SampledData runs from its smallest to
its largest point.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, or_

from ehr.search.matching import Choices, MatchContext
from ehr.search.parameters.number import (
    NumberSearch,
    as_float,
    compare,
    compared,
    range_ends,
    read_number,
)
from ehr.search.values.escapes import refuse, split
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from fhir_profiles.definitions import base_types
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter
from fhir_profiles.ucum import UCUM, Number, Unit, canonical, exact

MODIFIERS = ("missing",)

_CURRENCIES = "urn:iso:std:iso:4217"

_Double = Callable[[Number], float]
_Reader = Callable[[dict[str, Any]], "_Units"]
Amount = tuple[float, float, int, int, int, int, float, float]


@dataclass(frozen=True, slots=True)
class _Units:
    """The units of a stored amount: as given, and those of UCUM that its numbers turn into."""

    system: int
    code: int
    unit: int
    base: int = 0
    scale: Unit | None = None

    def row(self, ends: Callable[[_Double], tuple[float, float]]) -> Amount:
        """Return an amount with these units; `ends` are made with the doubles of either kind."""
        based = ends(self.scale.to_base) if self.scale else _NO
        return (*ends(as_float), self.system, self.code, self.unit, self.base, *based)


_NO = (0.0, 0.0)


def sink(leaf: Leaf, hasher: Hasher) -> Sink | None:
    """Return the function that emits rows for elements of this type; None where there is none."""
    if leaf.type == "Quantity" or "Quantity" in base_types(leaf.type):
        return _quantity(_reader(hasher))
    if leaf.type == "Money":
        return _money(hasher)
    makers = {"Range": _range, "SampledData": _sampled_data}
    return makers[leaf.type](_reader(hasher)) if leaf.type in makers else None


@lru_cache(maxsize=8)
def _reader(hasher: Hasher) -> _Reader:
    """Return a function from a Quantity to its units; the same few come again and again."""

    @lru_cache(maxsize=2048)
    def units(system: str | None, code: str | None, unit: str | None) -> _Units:
        scale = canonical(code) if system == UCUM and code else None
        base = 0 if scale is None else _base(hasher, scale)
        return _Units(hashed(system), hashed(code), hashed(unit), base, scale)

    def hashed(text: str | None) -> int:
        return 0 if text is None else hasher.once(text)

    return lambda value: units(value.get("system"), value.get("code"), value.get("unit"))


def _base(hasher: Hasher, scale: Unit) -> int:
    return hasher.once(f"{UCUM}|{scale.base}")


def _quantity(units: _Reader) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        number = value.get("value")
        if number is not None:
            # Written out, as nearly all amounts come by here.
            unit, comparator = units(value), value.get("comparator")
            ends = compared(as_float(number), comparator)
            based = _NO if unit.scale is None else compared(unit.scale.to_base(number), comparator)
            amount = (*ends, unit.system, unit.code, unit.unit, unit.base, *based)
            for param in params:
                rows.quantity.append((param, *amount))

    return emit


def _range(units: _Reader) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        low, high = value.get("low", {}), value.get("high", {})
        if "value" in low or "value" in high:
            amount = units(low or high).row(lambda double: range_ends(value, double))
            rows.quantity.extend((param, *amount) for param in params)

    return emit


def _money(hasher: Hasher) -> Sink:
    system = hasher.text(_CURRENCIES)

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        number = value.get("value")
        if number is None:
            return
        currency = hasher.text(value["currency"]) if "currency" in value else 0
        units = _Units(system if currency else 0, currency, currency)
        amount = units.row(lambda double: (double(number), double(number)))
        rows.quantity.extend((param, *amount) for param in params)

    return emit


def _sampled_data(units: _Reader) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        points = [Decimal(point) for point in value.get("data", "").split() if _is_number(point)]
        if points:
            origin = value.get("origin", {})
            zero, factor = exact(origin.get("value", 0)), exact(value.get("factor", 1))
            ends = sorted(zero + factor * exact(each) for each in (min(points), max(points)))
            amount = units(origin).row(lambda double: (double(ends[0]), double(ends[1])))
            rows.quantity.extend((param, *amount) for param in params)

    return emit


def _is_number(point: str) -> bool:
    # "E", "L" and "U" stand for errors and values beyond the limits.
    try:
        return Decimal(point).is_finite()
    except InvalidOperation:
        return False


def choices(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: MatchContext
) -> Choices:
    """Return the choices of an index row for `number`, `number|system|code` and `number||code`."""
    wanted = [_read(parameter, value) for value in values]
    return lambda t: [_condition(t, number, units, context) for number, units in wanted]


def _read(parameter: SearchParameter, value: str) -> tuple[NumberSearch, tuple[str, str]]:
    parts = split(parameter, value, "|")
    if len(parts) not in (1, 3) or (len(parts) == 3 and parts[1:] == ["", ""]):
        raise refuse(parameter, value, "a quantity: number, number|system|code or number||code")
    system, code = parts[1:] if len(parts) == 3 else ("", "")
    return read_number(parameter, parts[0]), (system, code)


def _condition(
    t: FromClause, number: NumberSearch, units: tuple[str, str], context: MatchContext
) -> ColumnElement[bool]:
    system, code = units
    hashed = context.hasher.once
    scale = canonical(code) if system == UCUM and code else None
    if scale is not None:
        converted = compare(number, t.c.base_low, t.c.base_high, scale.to_base)
        return and_(t.c.base == _base(context.hasher, scale), converted)
    wanted = [compare(number, t.c.low, t.c.high)]
    if system:
        wanted.append(t.c.system == hashed(system))
    if code and system:
        wanted.append(t.c.code == hashed(code))
    elif code:
        # "where the unit - either the code (code) or the stated human unit (unit) are mg"
        wanted.append(or_(t.c.code == hashed(code), t.c.unit == hashed(code)))
    return and_(*wanted)
