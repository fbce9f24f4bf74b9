"""What a review comes to, as changes of its Task and of the one that opened the record. Pure."""

from typing import Any

from ehr.access.terms import codes
from ehr.errors import Conflict
from ehr.messages import Document, Resource
from ehr.store.bodies import instant
from fhir_profiles import json_format
from fhir_profiles.own_names import (
    ACCESS,
    BREAK_GLASS,
    NEEDS_DISCUSSION,
    NOT_JUSTIFIED,
    OUTCOME,
    REVIEW,
    REVIEW_OUTCOME,
)
from fhir_profiles.references import type_and_id

OUTCOMES = REVIEW_OUTCOME  # the code system
_OPEN = frozenset({"requested", "received", "accepted", "in-progress", "on-hold"})


def is_review(task: Resource) -> bool:
    """Tell whether a Task is a review."""
    return codes(task.get("code"), ACCESS) == (REVIEW,)


def ends(task: Resource, outcome: Resource) -> str | None:
    """Return the id of the Task whose access ends by what a review came to, if any."""
    place = type_and_id(str(task.get("focus", {}).get("reference", "")))
    return place[1] if place is not None and outcome["code"] == NOT_JUSTIFIED else None


def closed(document: Document, person: str, outcome: Resource, text: str, at: int) -> Document:
    """Return a review with what it came to. Raises Conflict for one that is closed."""
    task = document.resource
    if task.get("status") not in _OPEN:
        raise Conflict(
            f"This review is closed: its status is {task.get('status')}. What it came to stays.",
            code="business-rule",
            expression="Task.status",
        )
    output = {
        "type": {"coding": [{"system": ACCESS, "code": OUTCOME}]},
        "valueCodeableConcept": {"coding": [outcome], "text": text},
    }
    note = {"authorReference": {"reference": person}, "time": instant(at), "text": text}
    is_open = outcome["code"] == NEEDS_DISCUSSION
    return _edited(
        document,
        status="in-progress" if is_open else "completed",
        businessStatus={"coding": [outcome]},
        lastModified=instant(at),
        note=[*task.get("note", []), note],
        output=[*task.get("output", []), output],
    )


def ended(document: Document) -> Document:
    """Return a Task that opened a record with its access at an end, if it still runs."""
    task = document.resource
    runs = task.get("status") == "in-progress" and codes(task.get("code"), ACCESS) == (BREAK_GLASS,)
    return _edited(document, status="cancelled") if runs else document


def _edited(document: Document, **members: Any) -> Document:
    after = {**document.resource, **members}
    return Document(json_format.serialise(after), after)
