"""Where care is given and by whom: organisations, services, people. All of it is shared."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.policy.world.making import Author, Making, concept, period, ref

BY_SYSTEM = Author(None, None)
LIFE_AREA = "https://shared-care-record.example.org/fhir/CodeSystem/life-area"
# Kind of organisation -> the roles of those who work there, one person for each word.
_STAFF = {
    "practice": ("gp", "gp", "nurse", "receptionist"),
    "trust": ("hospital-consultant", "hospital-consultant", "nurse", "other-staff"),
    "urgent": ("urgent-care", "urgent-care"),
    "council": ("social-worker", "social-worker", "care-coordinator"),
    "charity": ("third-sector", "third-sector"),
    "community": ("nurse", "care-coordinator", "social-worker"),
    "board": ("privacy-officer", "analyst", "admin"),
}
_KIND_OF = {
    "royal": "trust", "western": "trust", "emergency": "urgent", "council": "council",
    "homelessness": "charity", "befriending": "charity", "community": "community", "board": "board",
}  # fmt: skip
_AREAS = {"homelessness": ("accommodation",), "befriending": ("social-cultural-spiritual",)}


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody at an organisation: names of person, place of work and the PractitionerRole."""

    role: str
    person: str
    organisation: str
    place: str
    is_ended: bool = False

    @property
    def author(self) -> Author:
        """Who sends what this worker writes."""
        return Author(self.person, self.organisation)


@dataclass(slots=True)
class Places:
    """The organisations by kind, and who works there."""

    by_kind: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    workers: list[Worker] = field(default_factory=list)

    def at(self, organisation: str) -> list[Worker]:
        """Return those who work at an organisation."""
        return [one for one in self.workers if one.organisation == organisation]

    def of(self, *roles: str) -> list[Worker]:
        """Return those of some roles whose work has not ended."""
        return [one for one in self.workers if one.role in roles and not one.is_ended]

    def carers(self) -> list[Worker]:
        """Return those who treat and care."""
        return self.of(
            "gp", "nurse", "hospital-consultant", "urgent-care", "social-worker",
            "care-coordinator", "third-sector",
        )  # fmt: skip


def make_places(making: Making, patients: int) -> Places:
    """Make the organisations; more practices for more patients."""
    places = Places()
    practices = {f"practice-{n}": "practice" for n in range(1, 4 + patients // 200)}
    for id, kind in (practices | _KIND_OF).items():
        organisation = making.add(
            {"resourceType": "Organization", "name": id.title()}, BY_SYSTEM, id=id
        )
        places.by_kind[kind].append(organisation)
        for area in _AREAS.get(id, ("treatment",)):
            making.add(
                {
                    "resourceType": "HealthcareService",
                    "providedBy": ref(organisation),
                    "category": [concept(area, LIFE_AREA)],
                },
                BY_SYSTEM,
                id=f"service-{id}",
            )
        making.add(
            {
                "resourceType": "Location",
                "name": id.title(),
                "managingOrganization": ref(organisation),
            },
            BY_SYSTEM,
            id=f"location-{id}",
        )
        for n, role in enumerate(_STAFF[kind]):
            places.workers.append(_employ(making, f"{id}-{role}-{n}", role, organisation))
    _move_around(making, places)
    return places


def _employ(making: Making, id: str, role: str, organisation: str) -> Worker:
    person = making.add(
        {"resourceType": "Practitioner", "name": [{"family": id.title(), "given": ["Ann"]}]},
        BY_SYSTEM,
        id=id,
    )
    return _place(making, Worker(role, person, organisation, ""))


def _place(making: Making, worker: Worker) -> Worker:
    """Give a worker a PractitionerRole, of which it may be told that it has ended."""
    place = making.add(
        {
            "resourceType": "PractitionerRole",
            "active": True,
            "practitioner": ref(worker.person),
            "organization": ref(worker.organisation),
            "period": period(-900, -20 if worker.is_ended else None),
        },
        BY_SYSTEM,
    )
    return Worker(worker.role, worker.person, worker.organisation, place, worker.is_ended)


def _move_around(making: Making, places: Places) -> None:
    """Let some work at two organisations, and some have left one of them."""
    practices = places.by_kind["practice"]
    doctor, other, nurse = (
        places.at(practices[0])[0], places.at(practices[1])[0], places.at(practices[1])[2],
    )  # fmt: skip
    consultant = places.of("hospital-consultant")[0]
    western = places.by_kind["trust"][1]
    for worker in (
        Worker("gp", doctor.person, practices[1], ""),
        Worker("urgent-care", other.person, places.by_kind["urgent"][0], ""),
        Worker("nurse", nurse.person, practices[2], "", is_ended=True),
        Worker("hospital-consultant", consultant.person, western, "", is_ended=True),
    ):
        places.workers.append(_place(making, worker))
