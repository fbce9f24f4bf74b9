"""Which relationships a caller has with a patient at a moment, read from the resources each time.

Kinds: registered, team, encounter, referral, done, asked, delegated, self, proxy, claimed, broken
glass, and system, which needs none. What each opens is in `opening.py`.
"""

from collections.abc import Iterator, Set
from datetime import datetime, timedelta
from functools import lru_cache

from tests.policy.naive.caller import Caller, names
from tests.policy.naive.moments import end_of, has_begun, is_within
from tests.policy.naive.proxies import proxies
from tests.policy.naive.reading import Resource, local, named
from tests.policy.naive.record import Record, Row

LIVE = ("arrived", "triaged", "in-progress", "onleave")
ACCEPTED = ("accepted", "in-progress", "ready", "on-hold")
_DONE = ("completed", "failed", "cancelled")
_ONLY_THOUGHT_OF = ("proposal", "plan", "option", "unknown")
_LASTS = {
    "delegated": timedelta(days=30),
    "claimed": timedelta(hours=24),
    "broken glass": timedelta(hours=4),
}
AFTER_ENCOUNTER, AFTER_REFERRAL = timedelta(days=30), timedelta(days=14)


@lru_cache(maxsize=32_768)
def relationships(record: Record, caller: Caller, patient: str, now: datetime) -> frozenset[str]:
    """Return the kinds of relationship in force between a caller and `Patient/id`."""
    return frozenset(_kinds(record, caller, patient, now))


def _kinds(record: Record, caller: Caller, patient: str, now: datetime) -> set[str]:
    if caller.kind == "patient":
        return {"self"} if caller.person == caller.patient == patient else set()
    if caller.kind == "carer":
        is_meant = caller.patient == patient
        return {"proxy"} if is_meant and proxies(record, caller.person, patient, now) else set()
    found = of_care(record, names(record, caller, now), patient, now)
    if caller.kind == "system":
        return found | {"system"}
    return found | set(_noted(record, caller, patient, now))


def of_care(record: Record, called: Set[str], patient: str, now: datetime) -> set[str]:
    """Return the kinds that resources give rise to for somebody who has these names."""
    return {kind for kind, needed in _in_force(record, patient, now) if needed <= called}


def _in_force(record: Record, patient: str, now: datetime) -> Iterator[tuple[str, set[str]]]:
    """Yield each kind with the names that a caller needs to have for it, all of them."""
    person = record.row(patient)
    if person is not None and not person.is_deleted:
        for name in named(person.document, "generalPractitioner"):
            yield "registered", {name}
    for row in record.of(patient, "CareTeam"):
        for needed in _of_team(row.document, now):
            yield "team", needed
    for row in record.of(patient, "Encounter"):
        for name in _of_encounter(row, now):
            yield "encounter", {name}
    for row in record.of(patient, "Task"):
        for kind in _of_task(row, now):
            yield kind, named(row.document, "owner")
    for row in record.of(patient, "ServiceRequest"):
        kind = _of_request(record, row, patient, now)
        for name in named(row.document, "performer") if kind else ():
            yield kind, {name}


def _of_request(record: Record, row: Row, patient: str, now: datetime) -> str:
    """Return what a request is to who is to perform it; nothing where it asks nobody any more.

    Once there is a Task about it, Tasks tell who has accepted.
    """
    if not _is_order(row.document) or not _lasts(
        row, ("active", "on-hold"), ("completed", "revoked"), "", AFTER_REFERRAL, now
    ):
        return ""
    is_told = any(
        task.document["status"] != "entered-in-error"
        and row.name in named(task.document, "focus", "basedOn")
        for task in record.of(patient, "Task")
    )
    return "asked" if is_told else "referral"


def _of_team(team: Resource, now: datetime) -> Iterator[set[str]]:
    """Yield whom an active team has as members: who acts on behalf of somebody, only so."""
    if team.get("status") != "active" or not is_within(team.get("period"), now):
        return
    for one in team.get("participant", []):
        member, behalf = local(one.get("member")), local(one.get("onBehalfOf"))
        is_clear = "onBehalfOf" not in one or behalf is not None
        if member is not None and is_clear and is_within(one.get("period"), now):
            yield {member} if behalf is None else {member, behalf}


def _of_encounter(row: Row, now: datetime) -> Iterator[str]:
    """Yield who takes part in an Encounter and who provides it, until 30 days after its end."""
    encounter = row.document
    if not has_begun(encounter.get("period"), now):
        return
    if not _lasts(row, LIVE, ("finished",), "period", AFTER_ENCOUNTER, now):
        return
    parts = [
        (local(one.get("individual")), one.get("period"))
        for one in encounter.get("participant", [])
    ]
    for name, period in [(local(encounter.get("serviceProvider")), None), *parts]:
        end = end_of(period)
        has_left = end is not None and now >= end + AFTER_ENCOUNTER
        if name is not None and has_begun(period, now) and not has_left:
            yield name


def _of_task(row: Row, now: datetime) -> Iterator[str]:
    """Yield what a Task is to its owner, if it is one of the names that relationships know."""
    task = row.document
    if not _is_order(task) or local(task.get("owner")) is None:
        return
    if task["status"] in ("requested", "received"):
        yield "asked"
    elif _was_accepted(row) and _lasts(
        row, ACCEPTED, _DONE, "executionPeriod", AFTER_REFERRAL, now
    ):
        yield "done" if task["status"] in _DONE else "referral"


def _was_accepted(row: Row) -> bool:
    """Tell whether this version or an earlier one was accepted by who owns it now."""
    owner = local(row.document["owner"])
    return any(
        one.document is not None
        and one.document["status"] in ACCEPTED
        and local(one.document.get("owner")) == owner
        for one in row.versions
    )


def _is_order(request: Resource) -> bool:
    return request.get("intent") not in _ONLY_THOUGHT_OF and not request.get("doNotPerform")


def _lasts(
    row: Row,
    live: tuple[str, ...],
    over: tuple[str, ...],
    period: str,
    after: timedelta,
    now: datetime,
) -> bool:
    """Tell whether what is live, or is over, has not ended longer ago than `after`.

    It ended when it says so or when it was first written as over, whichever is earlier; a rewrite
    of what was over changes nothing of it. What came as over without saying when never counts.
    """
    status = row.document["status"]
    if status in live:
        end = end_of(row.document.get(period))
        return end is None or now < end + after
    if status not in over:
        return False
    ends: list[datetime] = []
    came_as_over = True
    for version in reversed(row.versions):
        if version.document is None or version.document["status"] not in over:
            came_as_over = False
            break
        stated = end_of(version.document.get(period))
        ends += [version.at] if stated is None else [stated, version.at]
        says = stated is not None
    if came_as_over and not says:
        return False
    return bool(ends) and now < min(ends) + after


def _noted(record: Record, caller: Caller, patient: str, now: datetime) -> Iterator[str]:
    """Yield what operations noted for a person, no longer than its kind lasts.

    A colleague acts for the organisation that who delegates acts on behalf of.
    """
    for fact in record.facts:
        if (fact.person, fact.patient) != (caller.person, patient):
            continue
        if not fact.start <= now < min(fact.end, fact.start + _LASTS[fact.kind]):
            continue
        giver = {fact.held_by} | ({caller.organisation} if caller.organisation else set())
        if fact.kind != "delegated" or _OPEN_ALL & _held_by(
            record, fact.held_by, giver, patient, now
        ):
            yield fact.kind


def _held_by(record: Record, name: str, called: set[str], patient: str, now: datetime) -> set[str]:
    """Return the kinds of what somebody of this name holds, who acts for others of these."""
    return {
        kind
        for kind, needed in _in_force(record, patient, now)
        if name in needed and needed <= called
    }


_OPEN_ALL = {"registered", "team", "encounter", "referral"}
