"""The OperationDefinitions of the operations that open access and look at who had it."""

from collections.abc import Callable, Mapping

from ehr.messages import Resource
from fhir_profiles.own_codes import value_set_url
from fhir_profiles.own_names import EMERGENCY_REASON, REVIEW_OUTCOME

Define = Callable[[str], Resource]


def given(
    name: str, type: str, documentation: str, *, many: bool = False, needed: bool = False
) -> Resource:
    """Return a parameter that an operation takes."""
    return {
        "name": name,
        "use": "in",
        "min": int(needed),
        "max": "*" if many else "1",
        "documentation": documentation,
        "type": type,
    }


def _coded(name: str, documentation: str, system: str) -> Resource:
    """Return a parameter that is a code of the value set that goes with a system of ours."""
    binding = {"strength": "required", "valueSet": value_set_url(system)}
    return {**given(name, "Coding", documentation, needed=True), "binding": binding}


def _told(name: str, type: str, documentation: str, *, always: bool = True) -> Resource:
    return {
        "name": name,
        "use": "out",
        "min": int(always),
        "max": "1",
        "documentation": documentation,
        "type": type,
    }


def _of_instance(
    base: str, code: str, name: str, type: str, title: str, description: str, *parameters: Resource
) -> Resource:
    return {
        "resourceType": "OperationDefinition",
        "id": code,
        "url": f"{base}/OperationDefinition/{code}",
        "name": name,
        "title": title,
        "status": "active",
        "kind": "operation",
        "date": "2026-11-22",
        "description": description,
        "affectsState": True,
        "code": code,
        "resource": [type],
        "system": False,
        "type": False,
        "instance": True,
        "parameter": list(parameters),
    }


_TASK = _told("task", "Reference", "The Task that says who has access, and why.")
_UNTIL = _told("until", "instant", "When access ends.")
_TEXT = "Why, in 10 to 2000 characters. Others read it."


def _break_glass(base: str) -> Resource:
    return _of_instance(
        base, "break-glass", "BreakGlass", "Patient",
        "Open a record in an emergency",
        "For professionals with a clinical duty, signed in within five minutes (401 and max_age "
        "otherwise). Opens the record for four hours, never what is locked, nor what the patient "
        "lets no emergency open. It is reviewed, and the patient is told.",
        _coded("reason", "Why: ETREAT or BTG of v3-ActReason, or one of the record's own codes.",
               EMERGENCY_REASON),
        given("text", "string", _TEXT, needed=True),
        given("delayNotice", "unsignedInt", "After how many hours the patient is told: 24 by "
              "itself, 720 at most."),
        given("delayReason", "string", "Why later than after 24 hours."),
        _TASK,
        _told("review", "Reference", "The Task of who reviews it."),
        _UNTIL,
        _told("warning", "string", "Where it was done before, lately.", always=False),
        {
            "name": "banner",
            "use": "out",
            "min": 1,
            "max": "1",
            "documentation": "What to show while the record is open.",
            "part": [
                _told("patient", "string", "The name of the patient."),
                _told("until", "instant", "When access ends."),
                _told("reason", "Coding", "Why it was opened."),
            ],
        },
    )  # fmt: skip


def _claim(base: str) -> Resource:
    return _of_instance(
        base, "claim-relationship", "ClaimRelationship", "Patient",
        "Say that one cares for somebody",
        "Opens what has no label, for a day. The registered practice and the named lead are told.",
        given("text", "string", _TEXT, needed=True),
        _TASK,
        _UNTIL,
    )  # fmt: skip


def _delegate(base: str) -> Resource:
    return _of_instance(
        base, "delegate", "Delegate", "Patient",
        "Give access to a colleague",
        "For who has a relationship of care. It ends with that relationship.",
        given("to", "Reference", "A Practitioner or PractitionerRole of the caller's own "
              "organisation.", needed=True),
        given("until", "dateTime", "Until when, 30 days at most.", needed=True),
        given("text", "string", "Why."),
        _TASK,
        _UNTIL,
    )  # fmt: skip


def _review(base: str) -> Resource:
    return _of_instance(
        base, "review", "ReviewAccess", "Task",
        "Review that a record was opened in an emergency",
        "For privacy officers of the organisation whose review it is. What is not justified ends "
        "at once.",
        _coded("outcome", "What the review came to; needs-discussion keeps it open.",
               REVIEW_OUTCOME),
        given("text", "string", _TEXT, needed=True),
        _told("return", "Task", "The review."),
    )  # fmt: skip


def _access_at(base: str) -> Resource:
    found = _of_instance(
        base, "access-at", "AccessAt", "Patient",
        "Who somebody was to a patient at a past moment",
        "For privacy officers and operators. Tells the relationships between a person and a "
        "patient, and what the patient had denied, as the resources stood then.",
        given("who", "Reference", "A Practitioner, PractitionerRole, Patient, RelatedPerson or "
              "Organization.", needed=True),
        given("at", "instant", "The moment, which is not ahead; now without it."),
        _told("patient", "Reference", "The patient."),
        _told("who", "Reference", "The person."),
        _told("at", "instant", "The moment."),
        {**_told("name", "string", "By what names resources meant the person.", always=False),
         "max": "*"},
        {**_shown("relationship", "A relationship in force.", _OF_RELATIONSHIP), "max": "*"},
        {**_shown("consent", "A rule in force; without `whom` it is about everybody.", _OF_RULE),
         "max": "*"},
    )  # fmt: skip
    return {**found, "affectsState": False}


def _shown(name: str, documentation: str, parts: Mapping[str, str]) -> Resource:
    return {
        "name": name,
        "use": "out",
        "min": 0,
        "max": "1",
        "documentation": documentation,
        "part": [_told(part, type, part, always=False) for part, type in parts.items()],
    }


_OF_RELATIONSHIP = {
    "kind": "code",
    "opens": "code",
    **dict.fromkeys(("to-whom", "on-behalf-of", "rests-on", "permits"), "string"),
    **dict.fromkeys(("from", "to"), "instant"),
    "source": "Reference",
}
_OF_RULE = {
    **dict.fromkeys(("effect", "spares-authors", "break-glass"), "code"),
    **dict.fromkeys(
        ("whom", "type", "code", "confidentiality", "sensitivity", "item", "purpose"), "string"
    ),
    **dict.fromkeys(("from", "to"), "instant"),
    "source": "Reference",
}
DEFINITIONS: dict[str, Define] = {
    "access-at": _access_at,
    "break-glass": _break_glass,
    "claim-relationship": _claim,
    "delegate": _delegate,
    "review": _review,
}
