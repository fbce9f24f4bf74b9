"""K4: who is asked to do something, by a ServiceRequest or a Task.

Proposals and plans ask nobody yet. A Task opens the minimum until it is accepted, and plan,
team and tasks for a while after it is done. Once there is a Task about a
ServiceRequest, the Task says how far the performer has come: `kinds.Relationship`.
"""

from collections.abc import Iterator

from ehr.access.relationships.asked import of_access, states_access
from ehr.access.relationships.ending import over
from ehr.access.relationships.kinds import SERVICES, Ceiling, Kind, Relationship, Source
from ehr.access.terms import ALWAYS, FOREVER, Interval, Resource, Terms, parts

_ONLY_THOUGHT_OF = frozenset({"proposal", "plan", "option", "unknown", None})
_ACTIVE, _OVER = frozenset({"active", "on-hold"}), frozenset({"completed", "revoked"})
_ASKED = frozenset({"requested", "received"})
_ACCEPTED = frozenset({"accepted", "ready", "in-progress", "on-hold"})
_DONE = frozenset({"completed", "failed", "cancelled"})
_REQUEST = frozenset({"ServiceRequest"})
_NOBODY = ""


def of_service_request(source: Source, terms: Terms) -> Iterator[Relationship]:
    """Yield one for each performer of an order that is active or was until lately."""
    request = source.document
    status = request.get("status")
    is_order = request.get("intent") not in _ONLY_THOUGHT_OF and not request.get("doNotPerform")
    if not is_order or status not in _ACTIVE | _OVER:
        return
    first, _ = terms.moment(request.get("authoredOn")) or (ALWAYS, 0)
    for reference in parts(request, "performer"):
        name = terms.name(reference, SERVICES)
        if name is None:
            continue
        made: Relationship | None = Relationship(
            Kind.REFERRAL, name, first, basis=f"ServiceRequest/{source.id}"
        )
        if made is not None and status in _OVER:
            made = over(source, made, None, terms.after_referral)
        if made is not None:
            yield made


def of_task(source: Source, terms: Terms) -> Iterator[Relationship]:
    """Yield what a Task opens to its owner, and that there is a Task about a request."""
    task = source.document
    if states_access(task):
        yield from of_access(source, terms)
        return
    if task.get("status") == "entered-in-error":
        return
    owner = terms.name(task.get("owner"), SERVICES)
    requests = _requests(task, terms)
    for basis in requests or ("",):
        made = _of_owner(source, terms, owner, basis) if owner is not None else None
        if made is not None:
            yield made
        elif basis:
            yield _told(owner or _NOBODY, basis)


def _requests(task: Resource, terms: Terms) -> tuple[str, ...]:
    """Return the names of the ServiceRequests that a Task is about."""
    some = [task.get("focus"), *parts(task, "basedOn")]
    found = (terms.name(one, _REQUEST) for one in some)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _told(owner: str, basis: str) -> Relationship:
    """Return that there is a Task about a request, which opens nothing itself."""
    return Relationship(
        Kind.REFERRAL, owner, ALWAYS, FOREVER, Ceiling.NOTHING, basis=basis, from_task=True
    )


def _of_owner(source: Source, terms: Terms, owner: str, basis: str) -> Relationship | None:
    task = source.document
    period = terms.period(task.get("executionPeriod"))
    if task.get("intent") in _ONLY_THOUGHT_OF or period is None:
        return None
    first, _ = terms.moment(task.get("authoredOn")) or (ALWAYS, 0)
    status = task.get("status")
    if status in _DONE:
        return _done(source, terms, owner, basis, (first, period[1]))
    if status not in _ASKED | _ACCEPTED:
        return None
    # When it is to be done says nothing of whoever has not answered yet.
    end = FOREVER if status in _ASKED else min(period[1] + terms.after_referral, FOREVER)
    ceiling = Ceiling.MINIMAL if status in _ASKED else Ceiling.ROLE
    if end <= first:
        return None
    return Relationship(Kind.REFERRAL, owner, first, end, ceiling, basis=basis, from_task=True)


def _done(
    source: Source, terms: Terms, owner: str, basis: str, period: Interval
) -> Relationship | None:
    """Return what is left of a Task that is done, to an owner who had accepted it."""
    had = [one for one in source.before if one.grantee == owner and one.basis == basis]
    was_accepted = any(one.ceiling >= Ceiling.PLAN for one in had)
    ceiling = Ceiling.PLAN if was_accepted else Ceiling.NOTHING
    made = Relationship(
        Kind.REFERRAL, owner, period[0], ceiling=ceiling, basis=basis, from_task=True
    )
    return over(source, made, None if period[1] == FOREVER else period[1], terms.after_referral)
