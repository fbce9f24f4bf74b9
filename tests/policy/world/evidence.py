"""What tells of the rest: provenance and events, and rows of no patient or of several."""

from tests.policy.world.labelling import meta
from tests.policy.world.making import Author, Making, Resource, instant, ref
from tests.policy.world.people import Subject
from tests.policy.world.places import Places, Worker

_REST = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}


def make_evidence(making: Making, subject: Subject, notes: list[str]) -> None:
    """Make a Provenance of two things, and events about the patient by staff and by the patient."""
    targets = making.some(notes, 1, 2)
    making.add(_provenance(making, subject, targets), making.one(subject.workers).author)
    for who in (making.one(subject.workers).person, making.one([subject.name, *subject.carers])):
        what = [subject.name, *(making.some(notes, 0, 1))]
        _event(making, subject, who, [name for name in what if making.chance(0.9)])


def _provenance(making: Making, subject: Subject, targets: list[str]) -> Resource:
    return {
        "resourceType": "Provenance",
        **meta(making, share=0.15),
        "target": [ref(name) for name in targets],
        "recorded": instant(-10),
        "agent": [{"who": ref(making.one(subject.workers).person)}],
    }


def _event(making: Making, subject: Subject, who: str, what: list[str]) -> None:
    """Make an event that another system observed; this server's own nobody sends."""
    observer = making.one(subject.workers).organisation
    tags = making.one(((), (), ("staff-safety",), ("safeguarding",)))
    document: Resource = {
        "resourceType": "AuditEvent",
        **meta(making, share=0.1, tags=tags),
        "type": _REST,
        "recorded": instant(-2),
        "agent": [{"who": ref(who), "requestor": True}],
        "source": {"observer": ref(observer)},
    }
    if what:
        document["entity"] = [{"what": ref(name)} for name in what]
    making.add(document, Author(None, observer), ago=2)


def make_of_nobody(making: Making, subjects: list[Subject], places: Places) -> None:
    """Make rows of several patients or of none, at various organisations, and shared ones."""
    for id, kind in (("about-me", "Questionnaire"), ("plan", "PlanDefinition")):
        making.add({"resourceType": kind, "status": "active"}, Author(None, None), id=id)
    making.add({"resourceType": "Medication", "status": "active"}, Author(None, None))
    making.add(
        {"resourceType": "Measure", "status": "active", "url": "https://m.example.org/falls"},
        Author(None, None),
    )
    for worker in [*places.of("analyst"), *making.some(places.workers, 6, 12)]:
        for document in _of_nobody(making, subjects, worker.person, worker.organisation):
            making.add(document, worker.author)
        _list_report(making, worker)


def _list_report(making: Making, worker: Worker) -> None:
    """Make a report that lists those whom it counts."""
    people = {"resourceType": "List", "status": "current", "mode": "snapshot", "title": "Falls"}
    counted = {"count": 2, "subjectResults": ref(making.add(people, worker.author))}
    listing = _measured(worker.organisation, "subject-list")
    making.add({**listing, "group": [{"population": [counted]}]}, worker.author)
    summary = _measured(worker.organisation, "summary")
    making.add({**summary, "group": [{"population": [counted]}]}, worker.author)


def _measured(organisation: str, type: str) -> Resource:
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": type,
        "measure": "https://m.example.org/falls",
        "period": {"start": "2025-01-01", "end": "2025-03-31"},
        "reporter": ref(organisation),
    }


def _of_nobody(
    making: Making, subjects: list[Subject], person: str, organisation: str
) -> list[Resource]:
    first, second = making.some(subjects, 2, 2)
    return [
        {
            "resourceType": "Appointment",
            "status": "proposed",
            "participant": [
                {"actor": ref(one.name), "status": "needs-action"} for one in (first, second)
            ],
        },
        {
            "resourceType": "Group",
            "type": "person",
            "actual": True,
            "member": [{"entity": ref(one.name)} for one in (first, second)],
        },
        {
            "resourceType": "List",
            **meta(making),
            "status": "current",
            "mode": "working",
            "entry": [{"item": ref(one.name)} for one in (first, second)],
        },
        {
            "resourceType": "Provenance",
            "target": [ref(first.name), ref(second.name)],
            "recorded": instant(-9),
            "agent": [{"who": ref(person)}],
        },
        {
            "resourceType": "Observation",
            **meta(making),
            "status": "final",
            "code": {"text": "Pulse"},
            "subject": {"identifier": {"system": "urn:n", "value": "unknown"}},
        },
        {"resourceType": "Schedule", "actor": [ref(person)]},
        _measured(organisation, "summary"),
        {**_measured(organisation, "individual"), "subject": ref(first.name)},
        {"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="},
    ]
