"""Conditions as questions to one row after another, for searches over all patients that many pass.

A list of all rows that meet a condition leads to few rows, and to many it is long: then rows are
better visited in the order of the answer, each asked in turn, until a page is full. Which searches
may be asked so, the questions, and what tells that each condition is met by many: a guess, on which
speed depends and no answer. `visit.py` visits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, literal_column, or_, select

from ehr.search.asking import Asking
from ehr.search.matching import Condition as OfRow
from ehr.search.matching import MatchContext, index_alias
from ehr.search.parameters import clauses
from ehr.search.parameters.date import read_date
from ehr.search.parameters.last_updated import last_updated_clause
from ehr.search.plan.rows import of_types, visible_rows
from ehr.search.request import Condition, Criterion, SearchRequest, SortKey
from ehr.store import tables
from fhir_profiles.extraction import is_single
from fhir_profiles.search_parameters import SearchParameter

MANY = 2_000
MOST_VALUES = 20
_ROW = tables.resource.alias("same")


@dataclass(slots=True)
class Questions:
    """What is asked: `of_row` of a row of `resource`, `leading` of what it is sorted by.

    `many`: whether each condition has many index rows.
    """

    of_row: list[ColumnElement[bool]]
    leading: list[OfRow] = field(default_factory=list)
    many: list[ColumnElement[bool]] = field(default_factory=list)


def may_be_visited(request: SearchRequest) -> bool:
    """Tell whether an index gives the order of a search, and all its conditions make questions."""
    return (
        len(request.types) == 1
        and request.compartment is None
        and request.total != "accurate"
        and len(request.sort) <= 1
        and all(map(_has_index, request.sort))
        and (bool(request.conditions) or any(map(sorting_date, request.sort)))
        and all(_is_askable(one, request.sort) for one in request.conditions)
        and sum(len(_values(one)) for one in request.conditions) <= MOST_VALUES
    )


def sorting_date(key: SortKey) -> SearchParameter | None:
    """Return the date parameter that a key of one type sorts by; None for any other."""
    parameter = key.parameters[0] if key.parameters else None
    if parameter is None or parameter.code.startswith("_") or parameter.kind != "date":
        return None
    return parameter


def questions(request: SearchRequest, asking: Asking) -> Questions:
    """Return what to ask; the conditions have made sense before."""
    row, current = visible_rows(request.types, asking)
    found = Questions([current])
    sorted_by = next(map(sorting_date, request.sort), None)
    for one in request.conditions:
        if not isinstance(one, Criterion):
            raise TypeError(f"{one.written[0]} makes no question")
        if one.parameters[0].code == "_lastUpdated":
            _ask_column(found, row, one, request.types, asking.context)
        else:
            _ask_index(found, row, one, sorted_by, asking.context)
    return found


def _has_index(key: SortKey) -> bool:
    return key.code == "_lastUpdated" or sorting_date(key) is not None


def _is_askable(condition: Condition, sort: Sequence[SortKey]) -> bool:
    """Tell whether an index row of the resource answers, or that by which it is sorted."""
    if not isinstance(condition, Criterion) or len(condition.parameters) != 1:
        return False
    parameter, modifier = condition.parameters[0], condition.modifier
    if parameter.code == "_lastUpdated":
        return modifier is None
    if parameter.code == "_id":
        return False
    if parameter.kind == "token":
        # A system alone leads to no row.
        is_led = not any(value.endswith("|") for value in condition.values)
        return is_led and modifier in (None, "not")
    # To find a date of one resource takes a look at all dates of its patient.
    return modifier is None and is_single(parameter) and parameter in map(sorting_date, sort)


def _values(condition: Condition) -> Sequence[str]:
    return condition.values if isinstance(condition, Criterion) else ()


def _ask_column(
    found: Questions,
    row: FromClause,
    criterion: Criterion,
    types: Sequence[str],
    context: MatchContext,
) -> None:
    found.of_row.append(last_updated_clause(row, criterion, context))
    same = last_updated_clause(_ROW, criterion, context)
    found.many.append(_are_many(select(_ROW.c.rid).where(*of_types(_ROW, types), same)))


def _ask_index(
    found: Questions,
    row: FromClause,
    criterion: Criterion,
    sorted_by: SearchParameter | None,
    context: MatchContext,
) -> None:
    parameter, modifier = criterion.parameters[0], criterion.modifier
    heard: list[tuple[FromClause, OfRow]] = []
    listening = replace(context, hear=lambda *rows: heard.append(rows))
    clauses.clause(row, parameter, modifier, criterion.values, listening)
    [(table, condition)] = heard
    t = index_alias(table)
    if modifier != "not":
        counted = _beginning(t, criterion, context) if parameter.kind == "date" else condition(t)
        if counted is not None:
            found.many.append(_are_many(select(t.c.rid).where(counted)))
    if parameter == sorted_by:
        found.leading.append(condition)
        return
    # A value, not EXISTS: PostgreSQL must not make a join of it.
    one = select(t.c.rid).where(
        t.c.patient_key == row.c.patient_key, t.c.rid == row.c.rid, condition(t)
    )
    answer = one.limit(literal_column("1")).scalar_subquery()
    found.of_row.append(answer.is_(None) if modifier == "not" else answer.isnot(None))


def _are_many(some: Select[Any]) -> ColumnElement[bool]:
    return some.limit(1).offset(MANY - 1).scalar_subquery().isnot(None)


def _beginning(
    t: FromClause, criterion: Criterion, context: MatchContext
) -> ColumnElement[bool] | None:
    """Return a condition that an index answers, much as the dates do; None if most rows meet it."""
    parameter, choices = criterion.parameters[0], []
    for value in criterion.values:
        wanted = read_date(parameter, value, context)
        match wanted.prefix:
            case "ne":
                return None
            case "gt" | "ge" | "sa":
                choices.append(t.c.low >= wanted.high)
            case "lt" | "le" | "eb":
                choices.append(t.c.low < wanted.low)
            case _:
                choices.append(and_(t.c.low >= wanted.low, t.c.low < wanted.high))
    return and_(t.c.param == parameter.param_id, or_(*choices))
