"""Composite parameters: values that hold together in one element (R4 search.html §3.1.1.4.17).

A part is matched as its own parameter would, and meets the others where their index rows name the
same element of the same resource. Parts of a resource as a whole need no comparing.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, select, tuple_

from ehr.search.matching import Clause, Condition, MatchContext, RowAlias, any_of, check_modifier
from ehr.search.values.escapes import refuse, split_escaped
from fhir_profiles.composites import Part, parts
from fhir_profiles.search_parameters import SearchParameter

_Rows = tuple[FromClause, Condition]


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
    part_clause: Clause,
) -> ColumnElement[bool]:
    """Return the condition for `part$part`; `part_clause` matches one part."""
    check_modifier(parameter, modifier, ())
    found = parts(parameter)
    choices = []
    for value in values:
        texts = split_escaped(parameter, value, "$")
        if len(texts) != len(found):
            names = "$".join(part.parameter.code for part in found)
            raise refuse(parameter, value, f"{len(found)} values joined by $: {names}")
        pairs = list(zip(found, texts, strict=True))
        choices.append(_together(row, pairs, context, part_clause))
    return any_of(choices)


def _together(
    row: RowAlias, pairs: Sequence[tuple[Part, str]], context: MatchContext, part_clause: Clause
) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = []
    tied: list[_Rows] = []
    for part, text in pairs:
        if part.alone:
            wanted.append(part_clause(row, part.parameter, None, [text], context))
        else:
            heard = replace(context, hear=lambda *rows: tied.append(rows))
            part_clause(row, part.parameter, None, [text], heard)
    if tied:
        wanted.append(_in_one_element(row, tied, context))
    return and_(*wanted)


def _in_one_element(
    row: RowAlias, tied: Sequence[_Rows], context: MatchContext
) -> ColumnElement[bool]:
    """Return: for all of these there are rows of one element of `row`.

    Nested lists, as in `some_row`: joined rows would be compared with all others of the patient.
    """
    (table, condition), *others = tied
    t = _alias(table, 0)
    found = _rows(t, condition, context, t.c.patient_key, t.c.rid).where(t.c.element >= 0)
    for n, (table, condition) in enumerate(others, 1):
        u = _alias(table, n)
        same = _rows(u, condition, context, u.c.patient_key, u.c.rid, u.c.element)
        found = found.where(tuple_(t.c.patient_key, t.c.rid, t.c.element).in_(same))
    return tuple_(row.c.patient_key, row.c.rid).in_(found)


def _rows(t: FromClause, condition: Condition, context: MatchContext, *columns: Any) -> Select[Any]:
    found = select(*columns).where(condition(t))
    if context.patient_keys is not None:
        found = found.where(t.c.patient_key.in_(context.patient_keys))
    return found


@cache
def _alias(table: FromClause, n: int) -> FromClause:
    """Return an alias for the nth part: two parts may look in one table."""
    return table.alias(f"part{n}")
