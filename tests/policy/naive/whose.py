"""Narrowings by whose a row is: its author, those it goes between, the grant, the life area."""

from tests.policy.naive.caller import names, own_names
from tests.policy.naive.labels import has_written
from tests.policy.naive.moments import is_within
from tests.policy.naive.proxies import permits, proxies
from tests.policy.naive.questions import Question
from tests.policy.naive.reading import Resource, codes, named, pairs
from tests.policy.naive.record import Row
from tests.policy.naive.relationships import LIVE

_MINE = {
    "Encounter": "serviceProvider",
    "EpisodeOfCare": "managingOrganization",
    "MeasureReport": "reporter",
}
PARTIES = {
    "Task": ("owner", "requester"),
    "ServiceRequest": ("performer", "requester"),
    "Communication": ("sender", "recipient"),
    "Appointment": ("participant.actor",),
    "AppointmentResponse": ("actor",),
}
_HELD_BACK = {"staff-safety", "safeguarding"}


def is_own(question: Question) -> bool:
    """Tell whether the caller wrote the first version."""
    person = question.caller.person
    return person is not None and person == question.row.person


def is_mine(question: Question) -> bool:
    """Tell whether it is of the caller's organisation."""
    element = _MINE.get(question.row.type)
    if element is None:
        return has_written(question)
    return question.caller.organisation in named(question.document, element)


def is_self(question: Question) -> bool:
    """Tell whether it says who the caller is."""
    return question.row.name == question.caller.person


def is_party(question: Question) -> bool:
    """Tell whether the caller, or the caller's organisation, is one between whom it goes."""
    called = names(question.record, question.caller, question.now)
    return not called.isdisjoint(named(question.document, *PARTIES.get(question.row.type, ())))


def is_granted(question: Question) -> bool:
    """Tell whether an active proxy Consent permits the letter on the type."""
    patient = question.row.patient
    if patient is None and question.row.type == "Binary":
        return True  # what opens it is judged with the patient of what refers to it
    if patient is None or question.caller.patient != patient:
        return False
    found = proxies(question.record, question.caller.person, patient, question.now)
    return permits(found, question.letter, question.row.type)


def is_live(question: Question) -> bool:
    """Tell whether the patient is with the caller's organisation now."""
    organisation = question.caller.organisation
    return organisation is not None and any(
        row.document["status"] in LIVE
        and named(row.document, "serviceProvider") == {organisation}
        and is_within(row.document.get("period"), question.now)
        for row in question.record.of(question.row.patient, "Encounter")
    )


def is_in_area(question: Question) -> bool:
    """Tell whether it belongs to a life area of the caller's organisation."""
    goals = [row for row in _of_patient(question, "Goal") if _is_goal_of(question, row.document)]
    goal_names = {row.name for row in goals}
    if question.row.type == "Goal":
        return _is_goal_of(question, question.document)
    if question.row.type == "CarePlan":
        return not goal_names.isdisjoint(named(question.document, "goal"))
    if question.row.type == "CareTeam":
        return any(
            question.row.name in named(plan.document, "careTeam")
            and not goal_names.isdisjoint(named(plan.document, "goal"))
            for plan in _of_patient(question, "CarePlan")
        )
    return question.row.type == "Condition" and any(
        question.row.name in named(goal.document, "addresses") for goal in goals
    )


def _is_goal_of(question: Question, goal: Resource) -> bool:
    areas = {
        pair
        for row in question.record.of(None, "HealthcareService")
        if row.document.get("active") is not False
        and named(row.document, "providedBy") == {question.caller.organisation}
        for pair in pairs(row.document, "category")
    }
    return not areas.isdisjoint(pairs(goal, "category"))


def _of_patient(question: Question, *types: str) -> list[Row]:
    """Return rows of the same patient; of no patient, none."""
    patient = question.row.patient
    return [] if patient is None else question.record.of(patient, *types)


def is_act(question: Question) -> bool:
    """Tell whether an event names the caller as the one who acted."""
    called = own_names(question.record, question.caller, question.now)
    return not called.isdisjoint(named(question.document, "agent.who"))


def is_shown(question: Question) -> bool:
    """Tell whether an event is about the patient, and is not held back."""
    is_held_back = codes(question.document, "meta.security", "meta.tag") & _HELD_BACK
    return question.row.patient in named(question.document, "entity.what") and not is_held_back


def is_in_plan(question: Question) -> bool:
    """Tell whether an active plan of the patient, or a Goal of one, names it."""
    for plan in _of_patient(question, "CarePlan"):
        if plan.document["status"] != "active":
            continue
        found = named(plan.document, "supportingInfo", "activity.outcomeReference")
        for goal in _of_patient(question, "Goal"):
            if goal.name in named(plan.document, "goal"):
                found |= named(goal.document, "outcomeReference")
        if question.row.name in found:
            return True
    return False
