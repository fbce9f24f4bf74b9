"""Why staff have to do with a patient: visits, stays, referrals and tasks, in all their states."""

from tests.policy.world.labelling import meta
from tests.policy.world.making import Author, Making, Resource, concept, instant, period, ref
from tests.policy.world.people import Subject
from tests.policy.world.places import Places, Worker

_LIVE = ("arrived", "triaged", "in-progress", "onleave")
_NOT_LIVE = ("planned", "cancelled", "entered-in-error", "unknown")
# Days since the end of what is over: 30 days of Encounters and 14 of Tasks lie between some.
_ENDED = (-0.5, -9, -29.99, -30.01, -45, -200)
_TASK_ENDED = (-0.5, -5, -13.99, -14.01, -40)
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_PACKAGE, _CARDIOLOGY = "60689008", "183519002"


def make_encounters(making: Making, subject: Subject, places: Places) -> list[str]:
    """Make a few visits and stays, and return their names."""
    elsewhere = places.of("hospital-consultant", "urgent-care", "nurse")
    found = []
    for worker in [*making.some(subject.workers, 1, 2), *making.some(elsewhere, 0, 2)]:
        status = making.one((*_LIVE, *_NOT_LIVE, *("finished",) * 5))
        end = making.one(_ENDED) if status == "finished" else None
        start, stated = _lasted(making, status, end)
        document = {
            "resourceType": "Encounter",
            **meta(making, share=0.08),
            "status": "in-progress" if status == "finished" else status,
            "class": {"system": _ACT, "code": making.one(("EMER", "IMP", "AMB"))},
            "subject": ref(subject.name),
            "period": period(start, stated),
            "participant": [_participant(making, worker, start)],
        }
        if making.chance(0.85):
            document["serviceProvider"] = ref(worker.organisation)
        name = making.add(document, worker.author, ago=max(1 - start, 0))
        if end is not None:
            ago = min(-end, 0.9 - start)
            making.change(
                name, worker.author, ago=ago, status="finished", period=period(start, end)
            )
        found.append(name)
    return found


def _lasted(making: Making, status: str, end: float | None) -> tuple[float, float | None]:
    """Return when a visit begins, and the end that it states while it is live."""
    if status in _LIVE and making.chance(0.2):
        forgotten = making.one((-0.5, -20, -40))
        return forgotten - 1, forgotten
    if end is None and making.chance(0.05):
        return 1, None
    return (end or -1) - making.days(0.1, 4), None


def _participant(making: Making, worker: Worker, start: float) -> Resource:
    found: Resource = {"individual": ref(making.one((worker.person, worker.person, worker.place)))}
    if making.chance(0.2):
        found["period"] = period(start, start + 0.05)
    return found


def make_requests(making: Making, subject: Subject, places: Places) -> list[str]:
    """Make orders and tasks between those who treat, and return the names of the orders."""
    orders = []
    for worker in making.some(places.carers(), 2, 4):
        asker = making.one(subject.workers)
        is_package = worker.role == "social-worker" and making.chance(0.7)
        orders.append(
            making.add(
                {
                    "resourceType": "ServiceRequest",
                    **meta(making, share=0.08),
                    "status": making.one(
                        ("active", "active", "active", "draft", "on-hold", "completed", "revoked")
                    ),
                    "intent": making.one(("order", "order", "order", "proposal")),
                    "code": concept(_PACKAGE if is_package else _CARDIOLOGY),
                    "subject": ref(subject.name),
                    "requester": ref(asker.person),
                    "performer": [ref(_called(making, worker))],
                    "authoredOn": instant(-50),
                },
                asker.author,
                ago=50,
            )
        )
        if making.chance(0.7):
            _task(making, subject, orders[-1], asker, worker)
    if making.chance(0.4):
        _question(making, subject)
    if making.chance(0.3):
        _review(making, subject, places)
    return orders


def _called(making: Making, worker: Worker) -> str:
    return making.one((worker.person, worker.place, worker.organisation, worker.organisation))


def _task(making: Making, subject: Subject, focus: str, asker: Worker, owner: Worker) -> None:
    """Make a task and move it on, from requested to wherever it has come."""
    name = making.add(
        {
            "resourceType": "Task",
            **meta(making, share=0.05),
            "status": making.one(("requested",) * 6 + ("received", "draft", "rejected")),
            "intent": "order",
            "code": concept("fulfill", "urn:task"),
            "focus": ref(focus),
            "for": ref(subject.name),
            "requester": ref(asker.person),
            "owner": ref(_called(making, owner)),
            "authoredOn": instant(-50),
        },
        asker.author,
        ago=50,
    )
    if making.document(name)["status"] != "requested" or making.chance(0.2):
        return
    if making.chance(0.8):
        live = making.one(("accepted", "in-progress", "ready", "on-hold"))
        making.change(name, owner.author, ago=45, status=live)
    if making.chance(0.4):
        end = making.one(_TASK_ENDED)
        over = making.one(("completed", "failed", "cancelled"))
        making.change(name, owner.author, ago=-end, status=over, executionPeriod=period(-45, end))


def _question(making: Making, subject: Subject) -> None:
    asker = making.one([subject.name, *subject.carers])
    making.add(
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "code": concept(making.one(("question", "correction", "own-action")), "urn:task"),
            "for": ref(subject.name),
            "requester": ref(asker),
            "owner": ref(making.one((subject.practice, asker))),
            "authoredOn": instant(-3),
        },
        Author(asker, None),
        ago=3,
    )


def _review(making: Making, subject: Subject, places: Places) -> None:
    """Ask the privacy officer how somebody came to see a record, or for something else."""
    officer = making.one(places.of("privacy-officer"))
    code = making.one(("break-glass-review", "break-glass-review", "fulfill"))
    making.add(
        {
            "resourceType": "Task",
            "status": making.one(("requested", "accepted", "completed")),
            "intent": "order",
            "code": concept(code, "urn:task"),
            "for": ref(subject.name),
            "requester": ref(making.one(subject.workers).person),
            "owner": ref(making.one((officer.person, officer.organisation))),
            "authoredOn": instant(-1),
        },
        making.one(subject.workers).author,
        ago=1,
    )
