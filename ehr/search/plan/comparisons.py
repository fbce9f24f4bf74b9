"""Tests of `_filter` that no ordinary criterion makes, as SQL on index rows.

R4 search_filter.html §3.1.3.2: "The compareOp is always evaluated against the set of values":
one row of the parameter must meet it, also for `ne` ("an item in the set has an unequal value").
"Values are never case sensitive": strings are compared folded; tokens in every spelling; uris
without regard to the case of a to z, which is all that both engines know to change.
"""

import string
from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, and_, func, literal

from ehr.search.matching import MatchContext, any_of, some_row
from ehr.search.parameters.date import read_date
from ehr.search.parameters.string import KEY_LENGTH
from ehr.search.parameters.token import SORT_LENGTH
from ehr.search.request import Comparison
from ehr.search.values.escapes import checked, refuse, split
from ehr.search.values.folding import fold
from ehr.store import tables
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import SearchParameter

_Row = Callable[[FromClause], ColumnElement[bool]]
_Make = Callable[[SearchParameter, str, str, MatchContext], _Row]
_MOST_SPELLINGS = 256
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def comparison_clause(
    row: FromClause, comparison: Comparison, context: MatchContext
) -> ColumnElement[bool]:
    """Return the condition on `row` that one of its values meets the comparison."""
    clauses = [_of_type(row, one, comparison, context) for one in comparison.parameters]
    if len(clauses) == 1:
        return clauses[0]
    return any_of(
        [
            and_(row.c.type == type_number(one.type), clause)
            for one, clause in zip(comparison.parameters, clauses, strict=True)
        ]
    )


def _of_type(
    row: FromClause, parameter: SearchParameter, comparison: Comparison, context: MatchContext
) -> ColumnElement[bool]:
    table, make = _KINDS[parameter.kind]
    checked(parameter, comparison.value)
    meets = make(parameter, comparison.operator, comparison.value, context)
    return some_row(table, row, context, lambda t: and_(t.c.param == parameter.param_id, meets(t)))


def _string(parameter: SearchParameter, operator: str, value: str, _: MatchContext) -> _Row:
    folded = fold(value)
    if not folded:
        raise refuse(parameter, value, "a text with letters or digits")

    def meets(t: FromClause) -> ColumnElement[bool]:
        whole = func.coalesce(t.c.folded, t.c.value)
        if operator == "eq":  # the key leads to it
            return and_(t.c.value == folded[:KEY_LENGTH], whole == folded)
        return _compared(whole, operator, folded)

    return meets


def _uri(_: SearchParameter, operator: str, value: str, __: MatchContext) -> _Row:
    return lambda t: _compared(func.lower(t.c.value), operator, value.translate(_LOWER))


def _compared(text: ColumnElement[Any], operator: str, value: str) -> ColumnElement[bool]:
    match operator:
        case "ne":
            return text != value
        case "co":
            return text.contains(value, autoescape=True)
        case "sw":
            return text.startswith(value, autoescape=True)
        case "ew":
            return text.endswith(value, autoescape=True)
        case "gt":
            return text > value
        case "lt":
            return text < value
        case "ge":
            return text >= value
        case "le":
            return text <= value
        case _:
            return text == value


def _date(parameter: SearchParameter, operator: str, value: str, context: MatchContext) -> _Row:
    wanted = read_date(parameter, value, context)
    if value[:1].isalpha():
        raise refuse(parameter, value, "a date without a prefix")
    if operator == "po":
        return lambda t: and_(t.c.low < wanted.high, t.c.high > wanted.low)
    # "An item in the set's implicit period includes the stated value"
    return lambda t: and_(t.c.low <= wanted.low, t.c.high >= wanted.high)


def _token(parameter: SearchParameter, operator: str, value: str, context: MatchContext) -> _Row:
    parts = split(parameter, value, "|")
    if len(parts) > 2 or not any(parts):
        raise refuse(parameter, value, "a token: code, system|code, |code or system|")
    system, code = (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    hashed = context.hasher.once

    def same(t: FromClause) -> ColumnElement[bool]:
        wanted = []
        if len(code) > SORT_LENGTH:
            wanted.append(t.c.code == hashed(code))
        elif code:
            text = func.lower(func.coalesce(t.c.text, literal("", Text)))
            wanted.append(text.in_(_spellings(code)))
        if system is not None:
            wanted.append(t.c.system == (hashed(system) if system else 0))
        return and_(*wanted)

    return same if operator == "eq" else lambda t: ~same(t)


def _spellings(code: str) -> list[str]:
    """Return a code in all its cases, as far as databases do not change them: they do a to z."""
    others = [{c, c.lower(), c.upper()} if not c.isascii() else {c} for c in code]
    if prod(map(len, others)) > _MOST_SPELLINGS:
        return [each.translate(_LOWER) for each in (code, code.lower(), code.upper())]
    return sorted({"".join(letters).translate(_LOWER) for letters in product(*others)})


_KINDS: dict[str, tuple[FromClause, _Make]] = {
    "date": (tables.date, _date),
    "string": (tables.string, _string),
    "token": (tables.token, _token),
    "uri": (tables.uri, _uri),
}
