"""The table of moves: from which state a status may go to which, and who may make the move.

`-` under *From* is a resource that is made, `*` each state but the target. Under *Who* stand words
as in `who.py`; `-` is whoever may change the element. Only systems may skip states: they tell of
several moves at once, so that whatever can be reached is legal for them. Types that are not here,
and first states of those without a row from `-`, are free. A refusal names what may follow: 409 for
a move that nobody may make, 403 for one that is somebody else's, 422 without its reason. Task
has R4's state machine with what Gravity and shared care planning add to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auth.elements.facts import Case, Fault
from auth.elements.who import Who, cells, holds, said, who

TABLE = """
Element              | From                        | To                                 | Who
CarePlan.status      | draft                       | active                             | -
CarePlan.status      | active                      | on-hold completed revoked          | -
CarePlan.status      | on-hold                     | active                             | -
CarePlan.status      | unknown                     | draft active on-hold completed revoked | -
CarePlan.status      | *                           | entered-in-error                   | -
Goal.lifecycleStatus | proposed                    | planned accepted active rejected   | staff
Goal.lifecycleStatus | planned                     | accepted active on-hold rejected   | staff
Goal.lifecycleStatus | accepted                    | active on-hold                     | staff
Goal.lifecycleStatus | active                      | on-hold completed                  | -
Goal.lifecycleStatus | on-hold                     | active                             | -
Goal.lifecycleStatus | proposed planned accepted active on-hold | cancelled             | -
Goal.lifecycleStatus | *                           | entered-in-error                   | -
Encounter.status     | planned                     | arrived in-progress cancelled      | -
Encounter.status     | arrived                     | triaged in-progress cancelled      | -
Encounter.status     | triaged                     | in-progress cancelled              | -
Encounter.status     | in-progress                 | onleave finished                   | -
Encounter.status     | onleave                     | in-progress finished               | -
Encounter.status     | unknown
                     | planned arrived triaged in-progress onleave finished cancelled       | -
Encounter.status     | *                           | entered-in-error                   | -
ServiceRequest.status | draft                      | active revoked                     | -
ServiceRequest.status | active                     | on-hold completed revoked          | -
ServiceRequest.status | on-hold                    | active revoked                     | -
ServiceRequest.status | unknown                    | draft active on-hold completed revoked | -
ServiceRequest.status | *                          | entered-in-error                   | -
Consent.status       | draft                       | proposed active rejected           | -
Consent.status       | proposed                    | active rejected                    | -
Consent.status       | active                      | inactive                           | -
Consent.status       | inactive                    | active                             | patient
Consent.status       | *                           | entered-in-error                   | -
Task.status          | -                           | draft requested                    | -
Task.status          | -                           | accepted ready in-progress completed | owner
Task.status          | draft                       | requested                          | requester
Task.status          | requested                   | received accepted rejected         | owner
Task.status          | received                    | accepted rejected                  | owner
Task.status          | requested received accepted | cancelled                    | requester owner
Task.status          | accepted                    | ready in-progress                  | owner
Task.status          | ready                       | in-progress                        | owner
Task.status          | in-progress                 | on-hold completed failed           | owner
Task.status          | on-hold                     | in-progress                        | owner
Task.status          | *                           | entered-in-error                   | requester
"""
# Task: states that need a `statusReason`, so that whoever asked knows why.
WITH_REASON = frozenset({"rejected", "cancelled", "failed", "on-hold"})
NEW, ERROR = "-", "entered-in-error"


@dataclass(frozen=True, slots=True)
class Moves:
    """The moves of a type's status: state before → state after → who. None: the element's who."""

    element: str
    steps: Mapping[str, Mapping[str, Who | None]]

    def after(self, state: str) -> Mapping[str, Who | None]:
        """Return what may follow a state."""
        return self.steps.get(state, {})

    def reachable(self, state: str) -> frozenset[str]:
        """Return all that may follow a state after any number of moves."""
        found: set[str] = set()
        open_ends = [state]
        while open_ends:
            fresh = set(self.after(open_ends.pop())) - found
            found |= fresh
            open_ends += sorted(fresh)
        return frozenset(found)


def _read() -> Mapping[str, Moves]:
    """Return the moves of each type. Raises ValueError for a move that is there twice."""
    elements: dict[str, str] = {}
    steps: dict[str, dict[str, dict[str, Who | None]]] = {}
    for path, states, targets, some in cells(TABLE):
        type, _, elements_name = path.partition(".")
        elements[type] = elements_name
        mine = steps.setdefault(type, {})
        sources = states.split() if states != "*" else _all(type)
        for state in sources:
            for target in targets.split():
                if target in mine.setdefault(state, {}):
                    raise ValueError(f"{path}: {state} → {target} is there twice")
                mine[state][target] = None if some == "-" else who(some)
    return {type: Moves(elements[type], found) for type, found in steps.items()}


def _all(type: str) -> list[str]:
    """Return the states that a type has rows for, without that of an error."""
    mine = [row for row in cells(TABLE) if row[0].startswith(f"{type}.")]
    named = {state for row in mine for cell in row[1:3] for state in cell.split()}
    return sorted(named - {NEW, ERROR, "*"})


MOVES: Mapping[str, Moves] = _read()


def move_faults(case: Case) -> Iterator[Fault]:
    """Yield what is wrong with the state that a write leads to."""
    moves = MOVES.get(case.type)
    if moves is None:
        return
    was, becomes = case.was(moves.element), case.after.get(moves.element)
    if was == becomes or not isinstance(becomes, str):
        return
    if case.before is None:
        yield from _first(case, moves, becomes)
    elif isinstance(was, str):
        yield from _next(case, moves, was, becomes)


def _first(case: Case, moves: Moves, becomes: str) -> Iterator[Fault]:
    some = moves.after(NEW)
    if not some or not case.is_of_person:
        return
    place = f"{case.type}.{moves.element}"
    if becomes not in some:
        text = f"{place} can't begin as {becomes}. It can begin as: {', '.join(some)}."
        yield Fault(place, text, 409, "business-rule")
        return
    who = some[becomes]
    if who is not None and not holds(who, case.held):
        first = ", ".join(state for state, needed in some.items() if needed is None)
        text = (
            f"Only {said(who)} can say that it is {becomes}. Make it as {first}, and let "
            f"{said(who)} take it on."
        )
        yield Fault(place, text, 403, "forbidden")


def _next(case: Case, moves: Moves, was: str, becomes: str) -> Iterator[Fault]:
    place = f"{case.type}.{moves.element}"
    some = moves.after(was)
    legal = some.keys() if case.is_of_person else moves.reachable(was)
    if becomes not in legal:
        follow = ", ".join(sorted(legal)) or "nothing"
        text = f"{place} can't go from {was} to {becomes}. From {was} it can go to: {follow}."
        yield Fault(place, text, 409, "business-rule")
        return
    if not case.is_of_person:
        return
    who = some[becomes]
    if who is not None and not holds(who, case.held):
        text = f"{place} goes from {was} to {becomes} by {said(who)} only."
        yield Fault(place, text, 403, "forbidden")
    if case.type == "Task" and becomes in WITH_REASON and not case.after.get("statusReason"):
        text = f"A Task that becomes {becomes} says why. Send `statusReason`."
        yield Fault("Task.statusReason", text, 422, "business-rule")
