"""`_explain=true`: a search is answered as ever, and told of instead of shown, as Parameters.

What matched is counted and never returned. A search that the time limit stopped is explained too:
its last statement is then planned and not run again.
"""

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from auth.principal import Principal
from ehr.errors import TooCostly
from ehr.search.answer import Gathered, gathered
from ehr.search.asking import asking_for
from ehr.search.explain.described import described
from ehr.search.plan.plan import Plan, plan
from ehr.search.request import SearchRequest
from ehr.store.sessions.failures import stopping
from ehr.store.statement_cost import Cost, cost
from ehr.store.trace import Traced, traced
from fhir_profiles import json_format

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.record import Record

# What a statement is for, by the module that asks for it.
_PURPOSES = {
    "locator": "find what the request names",
    "identifiers": "find by identifier",
    "pins": "find whose records may hold matches",
    "steps": "step that leaves the key",
    "page": "count matches",
    "page_statement": "find matches",
    "visit": "visit rows in their order, where many match",
    "estimates": "estimate the total",
    "source": "look up codes and value sets",
    "horizon": "recall where the walk began",
    "include": "round of includes",
    "found": "fetch what is included",
}
Part = dict[str, Any]


@dataclass(slots=True)
class _Run:
    """How far a search came, in what time, and what stopped it."""

    seconds: float = 0.0
    plan: Plan | None = None
    gathered: Gathered | None = None
    stopped: TooCostly | None = None
    costs: list[tuple[Traced, Cost]] = field(default_factory=list)


def explanation(record: "Record", principal: Principal, request: SearchRequest, base: str) -> bytes:
    """Return the Parameters resource that tells how this search is answered."""
    run = _Run()
    with record.database.read() as connection:
        with traced(connection) as statements:
            _answer(record, principal, request, base, connection, run)
        for number, one in enumerate(statements, 1):
            was_stopped = run.stopped is not None and number == len(statements)
            run.costs.append((one, cost(connection, one, runs=not was_stopped)))
    parts = [
        _part("request", described(run.plan.request if run.plan else request)),
        _part("plan", _plan(run, principal)),
        *(_part("statement", _statement(*one)) for one in run.costs),
        _part("result", _result(run)),
    ]
    return json_format.serialise({"resourceType": "Parameters", "parameter": parts})


def _answer(
    record: "Record",
    principal: Principal,
    request: SearchRequest,
    base: str,
    connection: "Connection",
    run: _Run,
) -> None:
    began = perf_counter()
    try:
        with stopping():
            asking = asking_for(record, principal, connection)
            run.plan = plan(request, asking)
            run.gathered = gathered(record, principal, run.plan, asking, base)
    except TooCostly as refusal:
        run.stopped = refusal
    run.seconds = perf_counter() - began


def _part(name: str, inside: Any) -> Part:
    return {"name": name, "part": [_value(name, value) for name, value in inside]}


def _value(name: str, value: str | int | float) -> Part:
    kind = {str: "valueString", int: "valueInteger", float: "valueDecimal"}[type(value)]
    return {"name": name, kind: value}


def _plan(run: _Run, principal: Principal) -> list[tuple[str, Any]]:
    said: list[tuple[str, Any]] = [("caller", principal.kind)]
    if run.plan is None:
        return [*said, ("scope", "not known: the search was stopped before")]
    keys = run.plan.patient_keys
    scope = "over all patients" if keys is None else f"within {len(keys)} keys"
    return [*said, ("scope", "within one key" if keys is not None and len(keys) == 1 else scope)]


def _statement(one: Traced, costs: Cost) -> list[tuple[str, Any]]:
    module, function = one.asked_by
    said: list[tuple[str, Any]] = [
        ("purpose", _PURPOSES.get(module.rpartition(".")[2], "other")),
        ("asked-by", f"{module.replace('.', '/')}.py: {function}"),
        ("sql", one.sql),
        *(("index", name) for name in dict.fromkeys(costs.indexes)),
        *(("query-plan", line) for line in costs.plan),
        ("rows", costs.rows),
        ("rows-read", costs.rows_read),
        ("instructions", costs.instructions),
        ("milliseconds", costs.milliseconds),
    ]
    return [(name, value) for name, value in said if value is not None]


def _result(run: _Run) -> list[tuple[str, Any]]:
    said: list[tuple[str, Any]] = [("statements", len(run.costs))]
    if run.gathered is not None:
        step = run.gathered.step
        said += [("matches", len(step.page.matches)), ("included", len(run.gathered.included))]
        said += [("total", step.total)] if step.total is not None else []
    if run.stopped is not None:
        said.append(("stopped", str(run.stopped)))
    return [*said, ("milliseconds", round(run.seconds * 1000, 3))]
