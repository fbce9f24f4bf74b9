"""Patients, and those who care for them at home."""

from dataclasses import dataclass, field
from datetime import timedelta

from tests.policy.naive.record import Fact
from tests.policy.world.labelling import meta
from tests.policy.world.making import (
    NOW,
    Author,
    Making,
    Resource,
    concept,
    day,
    period,
    ref,
)
from tests.policy.world.places import BY_SYSTEM, Places, Worker


@dataclass(slots=True)
class Subject:
    """A patient while the record is made: who writes in it, and what is there to refer to."""

    id: str
    practice: str
    workers: list[Worker]
    carers: list[str] = field(default_factory=list)
    goals: list[str] = field(default_factory=list)
    is_child: bool = False

    @property
    def name(self) -> str:
        """How references name the patient."""
        return f"Patient/{self.id}"

    @property
    def authors(self) -> list[Author]:
        """Those who write in the record: staff mostly, the patient, carers."""
        home = [Author(self.name, None), *(Author(carer, None) for carer in self.carers)]
        return [*(one.author for one in self.workers for _ in range(2)), *home]


def make_person(making: Making, places: Places, number: int) -> Subject:
    """Make a patient, registered with a practice, one of its doctors, both or nobody."""
    practice = making.one(places.by_kind["practice"])
    doctor = making.one([one for one in places.at(practice) if one.role == "gp"])
    elsewhere = [one for one in places.carers() if one.organisation != practice]
    workers = [
        one for one in places.at(practice) if one.role in ("gp", "nurse") and not one.is_ended
    ]
    subject = Subject(f"p{number}", practice, [*workers, *making.some(elsewhere, 3, 5)])
    subject.is_child = making.chance(0.1)
    years = making.days(3, 11) if subject.is_child else making.days(19, 90)
    registered = making.one(
        [[practice]] * 6 + [[practice, doctor.person], [doctor.person], [doctor.place], []]
    )
    making.add(
        {
            "resourceType": "Patient",
            **meta(making, share=0.08),
            "name": [{"family": f"Murray-{number}", "given": ["Mary"]}],
            "gender": making.one(("female", "male")),
            "birthDate": day(-365.25 * years),
            "telecom": [{"system": "phone", "value": f"0131 496 0{number:03}"}],
            **({"generalPractitioner": [ref(name) for name in registered]} if registered else {}),
        },
        BY_SYSTEM,
        ago=800,
        id=subject.id,
    )
    if making.chance(0.2):
        making.change(subject.name, doctor.author, ago=40, address=[{"city": "Leith"}])
    for carer in range(making.one((0, 1, 1, 2))):
        subject.carers.append(_related(making, subject, carer))
    return subject


def _related(making: Making, subject: Subject, number: int) -> str:
    person: Resource = {
        "resourceType": "RelatedPerson",
        **meta(making, share=0.05),
        "patient": ref(subject.name),
        "relationship": [concept("133932002")],
    }
    if making.chance(0.1):
        person["active"] = False
    if making.chance(0.3):
        person["period"] = period(-300, making.one((-3, 200, 200)))
    return making.add(person, BY_SYSTEM, ago=300, id=f"{subject.id}-carer-{number}")


def make_circle(making: Making, subject: Subject) -> str:
    """Make the care team of a patient, with members of every kind, and return its name."""
    members: list[Resource] = [{"member": ref(subject.name)}]
    members += [{"member": ref(carer)} for carer in subject.carers]
    for worker in making.some(subject.workers, 1, 4):
        members.append(_member(making, worker))
    document = {
        "resourceType": "CareTeam",
        **meta(making, share=0.08),
        "status": making.one(("active",) * 6 + ("inactive", "proposed", "suspended")),
        "subject": ref(subject.name),
        "participant": members,
    }
    if making.chance(0.3):
        document["period"] = period(-200, making.one((-5, 100, None)))
    return making.add(document, making.one(subject.workers).author, ago=200)


def _member(making: Making, worker: Worker) -> Resource:
    named = making.one((worker.person, worker.person, worker.place, worker.organisation))
    found: Resource = {"member": ref(named)}
    if named == worker.person and making.chance(0.4):
        found["onBehalfOf"] = ref(worker.organisation)
    if making.chance(0.25):
        found["role"] = [concept("named-lead", "urn:team-role")]
    if making.chance(0.4):
        start, end = making.one(((-100, None), (-100, -0.01), (-100, 30), (1, None), (-100, -90)))
        found["period"] = period(start, end)
    return found


def note_access(making: Making, subject: Subject, places: Places) -> None:
    """Note what operations let people in for a while: claims, broken glass and delegations."""
    clinical = places.of("gp", "hospital-consultant", "nurse", "urgent-care", "social-worker")
    for kind, hours, most in (("claimed", 24, 1), ("broken glass", 4, 3), ("delegated", 720, 2)):
        for worker in making.some([*clinical, *subject.workers], 0, most):
            start = making.days(-1.5 * hours / 24, 0.1)
            held = making.one(subject.workers)
            making.facts.append(
                Fact(
                    kind,
                    worker.person,
                    subject.name,
                    NOW + timedelta(days=start),
                    NOW + timedelta(days=start, hours=hours),
                    making.one((held.person, held.organisation)) if kind == "delegated" else "",
                )
            )
