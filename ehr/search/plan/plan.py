"""SearchRequest to Plan: the conditions of one SELECT on `resource`, and what was asked beforehand.

Conditions compare an alias of `resource` with index rows of the same key: no join leaves the key
(ehr/README.md). What lies under another key is asked first, in bounded steps: one for all
references and ids of the request, and those of `conditions.py`. A plan is in-patient when the
request pins the keys under which all matches lie.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause

from ehr.access.scope import Scope
from ehr.errors import Invalid, Unsupported
from ehr.search.asking import Asking, in_whole
from ehr.search.grammar.refusals import Findings
from ehr.search.matching import ONE_KEY, KeyAndRow, TypeAndId, under
from ehr.search.plan.compartment import in_compartment
from ehr.search.plan.conditions import condition_clause
from ehr.search.plan.leading import leads
from ehr.search.plan.mentions import mentioned
from ehr.search.plan.pins import Pins, pinned
from ehr.search.plan.rows import (
    ROW,
    refuse_hidden_types,
    simply_visible_rows,
    tells_of_hidden,
    visible_rows,
)
from ehr.search.plan.shapes import Shape, is_judged, judged, shape_of
from ehr.search.request import Condition, Criterion, SearchRequest, Written
from ehr.store.locator import locate

Where = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to select from: `row` is an alias of `resource`, `patient_keys` None is cross-patient.

    `request` is what will be answered: under lenient handling less than was asked. `conditions`
    gives those of the SELECT; `shape` is the same for searches that differ in the key alone;
    `skewed`: it goes by values of which some are in few rows and some in many; `scope` is whose
    sight the order goes by; `asking` is there where conditions may be put in another way; `simply`
    gives shorter ones that rows without labels meet, or None.
    """

    request: SearchRequest
    row: FromClause
    conditions: Callable[[], Where]
    patient_keys: tuple[int, ...] | None
    scope: Scope
    shape: Shape | None = None
    skewed: bool = False
    asking: Asking | None = None
    simply: Callable[[], Where | None] | None = None

    @property
    def where(self) -> Where:
        """Return the conditions of the SELECT."""
        return self.conditions()

    @property
    def named(self) -> dict[str, Any]:
        """Return the values that have names of their own: the one key, and those of the caller."""
        keys = self.patient_keys
        one = {ONE_KEY: keys[0]} if keys is not None and len(keys) == 1 else {}
        return {**one, **self.scope.values}


def plan(request: SearchRequest, asking: Asking) -> Plan:
    """Return the plan, having asked what it needs to know; raise Invalid for senseless values."""
    if asking.scope.rules is not None:
        refuse_hidden_types(request, asking.scope)
    ordered_by = (key.code for key in request.sort)
    if tells_of_hidden(request.types, request.conditions, ordered_by):
        asking = in_whole(asking)
    named = [(one, mentioned(one, asking.context)) for one in request.conditions]
    places = _places(asking.connection, request, named)
    criteria = [(one, names) for one, names in named if isinstance(one, Criterion)]
    pins = pinned(asking.connection, request, criteria, places)
    context = replace(
        asking.context,
        resolve=lambda names: {name: places[name] for name in names if name in places},
        patient_keys=pins.keys,
    )
    within = replace(asking, context=context)
    shape = shape_of(request, pins.keys, pins.implied, asking)
    simply = partial(_simply, request, within, pins)
    if shape is not None and is_judged(asking.connection, shape):
        # Judged before, for another patient maybe: the conditions may not be needed at all.
        later = partial(_conditions, request, within, pins, places)
        return Plan(request, ROW, later, pins.keys, asking.scope, shape, simply=simply)
    understood, where = _where(request, within, pins, places)
    if understood is not request:
        # What was left out may have said whose record the search is about.
        return plan(understood, asking)
    if shape is not None:
        judged(asking.connection, shape)
    skewed = pins.keys is None and not any(leads(one, context) for one in request.conditions)
    return Plan(request, ROW, lambda: where, pins.keys, asking.scope, shape, skewed, within, simply)


def _conditions(
    request: SearchRequest, within: Asking, pins: Pins, places: Mapping[TypeAndId, KeyAndRow]
) -> Where:
    return _where(request, within, pins, places)[1]


def _simply(request: SearchRequest, within: Asking, pins: Pins) -> Where | None:
    """Return the conditions of a search that has a shape, of rows that are quickly judged."""
    assert pins.keys is not None
    found = simply_visible_rows(request.types, within, pins.keys[0])
    if found is None:
        return None
    row, current = found
    clauses = _clauses(row, request, within, pins.implied)[1]
    return (under(row.c.patient_key, pins.keys), current, *clauses)


def _where(
    request: SearchRequest, within: Asking, pins: Pins, places: Mapping[TypeAndId, KeyAndRow]
) -> tuple[SearchRequest, Where]:
    row, current = visible_rows(request.types, within, pins.keys)
    where = [current]
    if pins.keys is not None:
        where.insert(0, under(row.c.patient_key, pins.keys))
    if request.compartment is not None:
        place = request.compartment
        focal = places.get((place.type, place.id))
        where.append(in_compartment(row, place, request.types, focal, within))
    understood, clauses = _clauses(row, request, within, pins.implied)
    return understood, (*where, *clauses)


def _places(
    connection: Connection,
    request: SearchRequest,
    named: Sequence[tuple[Condition, Sequence[TypeAndId]]],
) -> Mapping[TypeAndId, KeyAndRow]:
    names = {name for _, some in named for name in some}
    if request.compartment is not None:
        names.add((request.compartment.type, request.compartment.id))
    located = locate(connection, names)
    return {name: (one.patient_key, one.rid) for name, one in located.items()}


def _clauses(
    row: FromClause, request: SearchRequest, asking: Asking, implied: Criterion | None
) -> tuple[SearchRequest, list[ColumnElement[bool]]]:
    findings = Findings(lenient=request.lenient)
    clauses: list[ColumnElement[bool]] = []
    left_out: set[Written] = set()
    for condition in request.conditions:
        if condition is implied:
            continue
        try:
            clauses.append(condition_clause(row, request.types, condition, asking))
        except (Invalid, Unsupported) as error:
            findings.add(error)
            left_out.add(condition.written)
    ignored = findings.settle()
    if not left_out:
        return request, clauses
    # A `_filter` is several conditions, of which none is asked for without the others.
    understood = replace(
        request,
        conditions=tuple(one for one in request.conditions if one.written not in left_out),
        understood=tuple(pair for pair in request.understood if pair not in left_out),
        ignored=request.ignored + ignored,
    )
    return understood, clauses
