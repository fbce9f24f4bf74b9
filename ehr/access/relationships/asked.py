"""K5, K8, K9: access that somebody asked for, kept as Tasks of the server's own making.

A Task with a code of the system `own_names.ACCESS`: `for` the patient, `owner` who gets access,
`executionPeriod` from when and until when, `reasonCode` and `description` why, `requester` who
delegates, `input` of type `held-by` by which relationship. Status `in-progress` while it runs. No
caller may write one but through the operation that makes it: `states_access` tells which they are.
"""

from collections.abc import Iterator
from dataclasses import replace

from ehr.access.relationships.kinds import PEOPLE, PLACES, SERVICES, Kind, Relationship, Source
from ehr.access.terms import Resource, Terms, codes, parts
from fhir_profiles.own_names import ACCESS, BREAK_GLASS, DELEGATION, HELD_BY, SELF_CLAIM

_KINDS = {
    DELEGATION: Kind.DELEGATED,
    SELF_CLAIM: Kind.SELF_CLAIMED,
    BREAK_GLASS: Kind.BREAK_GLASS,
}
_OVER = frozenset({"completed", "cancelled", "failed"})


def states_access(task: Resource) -> bool:
    """Tell whether a Task is one that only the server itself writes."""
    return task.get("resourceType") == "Task" and bool(codes(task.get("code"), ACCESS))


def of_access(source: Source, terms: Terms) -> Iterator[Relationship]:
    """Yield what such a Task opens, never for longer than its kind may."""
    task = source.document
    found = codes(task.get("code"), ACCESS)
    kind = _KINDS.get(found[0]) if len(found) == 1 else None
    # Who registers a patient claims for their organisation: colleagues go on with it.
    name = terms.name(task.get("owner"), PLACES if kind is Kind.SELF_CLAIMED else PEOPLE)
    period = terms.period(task.get("executionPeriod"))
    has_start = isinstance(task.get("executionPeriod"), dict) and "start" in task["executionPeriod"]
    if kind is None or name is None or period is None or not has_start:
        return
    most = {
        Kind.DELEGATED: terms.delegated,
        Kind.SELF_CLAIMED: terms.self_claimed,
        Kind.BREAK_GLASS: terms.break_glass,
    }[kind]
    first, end = period[0], min(period[1], period[0] + most)
    basis = _holder(task, terms) if kind is Kind.DELEGATED else ""
    if basis is not None:
        yield from _in_force(source, Relationship(kind, name, first, end, basis=basis))


def _holder(task: Resource, terms: Terms) -> str | None:
    """Return by whose relationship a delegation holds; None where it says nothing."""
    held = [
        one.get("valueReference")
        for one in parts(task, "input")
        if HELD_BY in codes(one.get("type"), ACCESS)
    ]
    return terms.name(held[0] if held else task.get("requester"), SERVICES)


def _in_force(source: Source, made: Relationship) -> Iterator[Relationship]:
    status = source.document.get("status")
    limits = [one.to for one in source.before if one.kind == made.kind]
    end = min([made.to, *limits])
    if status in _OVER:
        end = min(end, source.at)
    if (status in _OVER or status == "in-progress") and end > made.from_:
        yield replace(made, to=end, ended=status in _OVER)
