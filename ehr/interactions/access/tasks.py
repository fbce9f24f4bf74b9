"""The Tasks that say who has access, as documents: the shape that `asked.py` reads. Pure.

R4 Task. What the patient is told later has the release time of `own_names.RELEASE_TIME`.
`more` are elements by their FHIR names; those that are None are left out.
"""

from typing import Any

from ehr.messages import Resource
from ehr.store.bodies import instant
from fhir_profiles.own_codes import OWN_CODES
from fhir_profiles.own_names import (
    ACCESS,
    BREAK_GLASS,
    DELAY_REASON,
    DELEGATION,
    HELD_BY,
    RELEASE_TIME,
    REVIEW,
    SELF_CLAIM,
)


def emergency(patient: str, owner: Resource, at: int, until: int, **more: Any) -> Resource:
    """Return the Task that opens a record in an emergency from `at` to `until`, in ms."""
    return _opening(BREAK_GLASS, patient, owner, at, until, more)


def claim(patient: str, owner: Resource, at: int, until: int, **more: Any) -> Resource:
    """Return the Task of somebody who says that they care for the patient."""
    return _opening(SELF_CLAIM, patient, owner, at, until, more)


def delegation(patient: str, owner: Resource, at: int, until: int, **more: Any) -> Resource:
    """Return the Task by which a colleague has access."""
    return _opening(DELEGATION, patient, owner, at, until, more)


def review(patient: str, at: int, *, delay_reason: str = "", **more: Any) -> Resource:
    """Return the Task of the privacy officers; `delay_reason`: why the patient is told so late."""
    delayed = {"type": _concept(DELAY_REASON), "valueString": delay_reason}
    told = [delayed] if delay_reason else None
    asked = [{"text": "Privacy officer"}]
    return _task(REVIEW, "requested", patient, at, {**more, "performerType": asked, "input": told})


def held_by(name: str) -> Resource:
    """Return the input of a delegation that says by which relationship it holds.

    `name` is as relationships have it (`Terms.name`).
    """
    type, is_identifier, rest = name.partition("?identifier=")
    if not is_identifier:
        return {"type": _concept(HELD_BY), "valueReference": {"reference": name}}
    system, _, value = rest.partition("|")
    told = {"type": type} if type else {}
    reference = {**told, "identifier": {"system": system, "value": value}}
    return {"type": _concept(HELD_BY), "valueReference": reference}


def released(document: Resource, at: int | None) -> Resource:
    """Return a document that the patient sees from a moment on (ms), at once without one."""
    if at is None:
        return document
    extension = {"url": RELEASE_TIME, "valueInstant": instant(at)}
    return {**document, "meta": {"extension": [extension]}}


def _opening(
    code: str, patient: str, owner: Resource, at: int, until: int, more: dict[str, Any]
) -> Resource:
    period = {"start": instant(at), "end": instant(until)}
    members = {**more, "owner": owner, "executionPeriod": period}
    return _task(code, "in-progress", patient, at, members)


def _task(code: str, status: str, patient: str, at: int, more: dict[str, Any]) -> Resource:
    display = OWN_CODES[ACCESS].displays[code]
    coding = {"system": ACCESS, "code": code, "display": display}
    head: Resource = {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "code": {"coding": [coding], "text": display},
        "for": {"reference": patient},
        "authoredOn": instant(at),
    }
    return {**head, **{name: value for name, value in more.items() if value is not None}}


def _concept(code: str) -> Resource:
    return {"coding": [{"system": ACCESS, "code": code}]}
