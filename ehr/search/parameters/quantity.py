"""Quantity parameters: number, system and code (R4 search.html §3.1.1.5.8).

A row is (parameter, low, high, system, code, unit); hashes, 0 for none. Stored comparators and
Ranges are ranges, SampledData runs from its smallest to its largest point. Values are compared as
given: units are not converted.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from math import isnan
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, or_

from ehr.search.matching import Choices, MatchContext
from ehr.search.parameters.number import (
    NumberSearch,
    as_float,
    compare,
    compared,
    range_bounds,
    read_number,
)
from ehr.search.values.escapes import refuse, split
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from fhir_profiles.definitions import base_types
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter

MODIFIERS = ("missing",)

_CURRENCIES = "urn:iso:std:iso:4217"


def sink(leaf: Leaf, hasher: Hasher) -> Sink | None:
    """Return the function that emits rows for elements of this type; None where there is none."""
    if leaf.type == "Quantity" or "Quantity" in base_types(leaf.type):
        return _quantity(hasher)
    makers = {"Range": _range, "Money": _money, "SampledData": _sampled_data}
    return makers[leaf.type](hasher) if leaf.type in makers else None


def _units(hasher: Hasher, value: dict[str, Any]) -> tuple[int, int, int]:
    return (
        hasher.text(value["system"]) if "system" in value else 0,
        hasher.text(value["code"]) if "code" in value else 0,
        hasher.text(value["unit"]) if "unit" in value else 0,
    )


def _quantity(hasher: Hasher) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        number = value.get("value")
        if number is None:
            return
        low, high = compared(as_float(number), value.get("comparator"))
        units = _units(hasher, value)
        for param in params:
            rows.quantity.append((param, low, high, *units))

    return emit


def _range(hasher: Hasher) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        bounds = range_bounds(value)
        if bounds:
            units = _units(hasher, value.get("low") or value["high"])
            rows.quantity.extend((param, *bounds, *units) for param in params)

    return emit


def _money(hasher: Hasher) -> Sink:
    system = hasher.text(_CURRENCIES)

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        number = value.get("value")
        if number is None:
            return
        currency = hasher.text(value["currency"]) if "currency" in value else 0
        amount = as_float(number)
        rows.quantity.extend(
            (param, amount, amount, system if currency else 0, currency, currency)
            for param in params
        )

    return emit


def _sampled_data(hasher: Hasher) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        points = [float(point) for point in value.get("data", "").split() if _is_number(point)]
        origin = value.get("origin", {})
        if not points:
            return
        zero, factor = as_float(origin.get("value", 0)), as_float(value.get("factor", 1))
        ends = sorted((zero + factor * min(points), zero + factor * max(points)))
        if any(map(isnan, ends)):
            return
        units = _units(hasher, origin)
        rows.quantity.extend((param, ends[0], ends[1], *units) for param in params)

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
    wanted = [compare(t, number)]
    if system:
        wanted.append(t.c.system == hashed(system))
    if code and system:
        wanted.append(t.c.code == hashed(code))
    elif code:
        wanted.append(or_(t.c.code == hashed(code), t.c.unit == hashed(code)))
    return and_(*wanted)
