"""What a caller is told of who did what: events of the server's own trail, and who made a version.

Events are given as who watches over the record reads them. The words `acts` and `shown` of the role
table are read here for the trail; in `whose.py` for events that were sent as resources.
"""

from datetime import datetime

from tests.policy import role_table
from tests.policy.naive.caller import OF_THEMSELVES, Caller
from tests.policy.naive.decision import ask, may_see, may_see_version
from tests.policy.naive.labels import labels
from tests.policy.naive.reading import Resource, at, codes, named
from tests.policy.naive.record import Record, Row
from tests.policy.naive.roles import role_permits

_CELLS = role_table.cells()
_ALL, _ACTS, _SHOWN = frozenset[str](), frozenset({"acts"}), frozenset({"shown"})
_GRANTED = _SHOWN | {"grant"}
# What tells how the server did it, or what somebody was refused.
_INTERNAL = {"batch", "transaction", "capabilities", "110132"}


def may_see_told(record: Record, caller: Caller, row: Row, letter: str, now: datetime) -> bool:
    """Tell whether a caller may read Provenance of whom a row is, whichever it is.

    Of what all share it is nobody's, so that patients and carers see none.
    """
    if caller.kind in OF_THEMSELVES and row.patient is None:
        return False
    made = Row({"resourceType": "Provenance", "id": "made"}, row.patient, None, None)
    return role_permits(ask(record, caller, made, letter, now))


def may_see_event(record: Record, caller: Caller, event: Resource, now: datetime) -> bool:
    """Tell whether a caller is told of an event of the trail.

    Staff are told what they did, and a patient what was done with the own record; neither what came
    to nothing; a carer as the patient is, where the grant has the access log. Systems and operators
    are told nothing.
    """
    ways = _CELLS.get((caller.role, "AuditEvent", "r"), frozenset())
    if caller.kind == "professional" and _ALL in ways:
        return True
    if event["outcome"] != "0":
        return False
    if caller.kind == "professional" and _ACTS in ways:
        return caller.person in named(event, "agent.who")
    if caller.kind == "patient" and _SHOWN in ways:
        return _is_of_feed(record, caller, event, now)
    if caller.kind == "carer" and _GRANTED in ways:
        # Provenance is in the same area of a grant, and in no other.
        log = Row({"resourceType": "Provenance", "id": "log"}, caller.patient, None, None)
        has_log = may_see_told(record, caller, log, "r", now)
        return has_log and _is_of_feed(record, caller, event, now)
    return False


def shown_of_event(record: Record, caller: Caller, event: Resource, now: datetime) -> set[str]:
    """Return what an event names that the caller may be told: rows that are seen, and of whom."""
    every = named_by_event(event)
    if _ALL in _CELLS.get((caller.role, "AuditEvent", "r"), frozenset()):
        return every
    asked = (
        {name for name in every if name.startswith("?")}
        if caller.kind not in OF_THEMSELVES
        else set()
    )
    patients = named(event, "entity.what") & {name for name in every if name.startswith("Patient/")}
    if caller.kind in OF_THEMSELVES:
        patients &= {str(caller.patient)}
    return asked | patients | {name for name in every if _is_seen(record, caller, name, now)}


def named_by_event(event: Resource) -> set[str]:
    """Return the rows that an event names, as `Type/id`, and how it was asked, after a `?`."""
    texts = [one["reference"] for one in at(event, "entity.what") if "reference" in one]
    texts += [one["valueString"] for one in at(event, "entity.detail") if one["type"] == "returned"]
    asked = {f"?{text}" for text in at(event, "entity.query")}
    return {"/".join(text.split("/")[:2]) for text in texts} | asked


def _is_of_feed(record: Record, caller: Caller, event: Resource, now: datetime) -> bool:
    if caller.patient not in named(event, "entity.what"):
        return False
    if codes(event, "subtype", "type") & _INTERNAL or _is_held_back(record, caller, event):
        return False
    data = [one for one in event["entity"] if one.get("role", {}).get("code") == "4"]
    return all(_is_seen(record, caller, name, now) for one in data for name in named(one, "what"))


def _is_held_back(record: Record, caller: Caller, event: Resource) -> bool:
    """While a locked Flag is there, nothing is told of the organisation that wrote it."""
    held = {
        row.organisation
        for row in record.of(caller.patient, "Flag")
        if "V" in labels(row.document) and row.organisation is not None
    }
    places = {f"Organization/{text}" for text in at(event, "agent.who.identifier.value")}
    return not held.isdisjoint(places | named(event, "agent.who"))


def _is_seen(record: Record, caller: Caller, name: str, now: datetime) -> bool:
    row = record.row(name)
    if row is None:
        return False
    if row.is_deleted:
        return may_see_version(record, caller, row, len(row.versions), "r", now)
    return may_see(record, caller, row, "r", now)
