"""Who asks: everybody who works somewhere, all patients and carers, systems."""

from itertools import pairwise

from tests.policy.naive.caller import Caller
from tests.policy.world.making import Making
from tests.policy.world.people import Subject
from tests.policy.world.places import Places, Worker

CLINICAL_DUTY = ("gp", "hospital-consultant", "nurse", "urgent-care", "social-worker")


def make_callers(making: Making, subjects: list[Subject], places: Places) -> dict[str, Caller]:
    """Return callers by a name for people: each worker where they work, each patient and carer."""
    found: dict[str, Caller] = {}
    for worker in places.workers:
        found[f"{worker.role} {worker.person} at {worker.organisation}"] = _at_work(worker)
    for subject in subjects:
        found[f"patient {subject.name}"] = Caller(
            "patient", "patient", subject.name, None, subject.name
        )
        for carer in subject.carers:
            found[f"carer {carer}"] = Caller("carer", "carer", carer, None, subject.name)
    # Carers of one who ask for the record of another.
    for subject, other in pairwise(subjects):
        for carer in subject.carers[:1]:
            name = f"carer {carer} for {other.name}"
            found[name] = Caller("carer", "carer", carer, None, other.name)
    found["system of none"] = Caller("system", "system")
    for organisation in (places.by_kind["practice"][0], places.by_kind["trust"][0]):
        found[f"system of {organisation}"] = Caller("system", "system", None, organisation)
    return found


def _at_work(worker: Worker) -> Caller:
    kind = "operator" if worker.role == "admin" else "professional"
    return Caller(kind, worker.role, worker.person, worker.organisation, purpose="TREAT")
