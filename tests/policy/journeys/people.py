"""The people of the journeys, and Mary's record as they find it.

    cast.gp.read("Patient/mary"), cast.mary.create({...}), cast.other_gp.get("Patient/mary")

Mary is registered with the surgery, whose GP wrote her notes; the nurse and the coordinator of the
community trust are in her team. Nobody else has to do with her yet. John is registered elsewhere.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from werkzeug.test import TestResponse

from auth import tokens
from ehr.app import create_app
from tests import given
from tests.client import Client
from tests.policy.naive.vocabulary import ACT_CODE, CONFIDENTIALITY
from tests.policy.staff import staff

if TYPE_CHECKING:
    from ehr.record import Record

Resource = dict[str, Any]
MARY = "Patient/mary"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
FLAG = "http://terminology.hl7.org/CodeSystem/flag-category"
# Who works where, in which role.
STAFF = {
    "gp": ("gp", "surgery"),
    "receptionist": ("receptionist", "surgery"),
    "other_gp": ("gp", "elsewhere"),
    "consultant": ("hospital-consultant", "hospital"),
    "urgent_care": ("urgent-care", "emergency"),
    "nurse": ("nurse", "trust"),
    "coordinator": ("care-coordinator", "trust"),
    "social_worker": ("social-worker", "council"),
    "third_sector": ("third-sector", "charity"),
    "officer": ("privacy-officer", "surgery"),
    "other_officer": ("privacy-officer", "elsewhere"),
    "analyst": ("analyst", "surgery"),
    "admin": ("admin", "surgery"),
}


@dataclass(frozen=True, slots=True)
class Cast:
    """The record, a system from which nothing is hidden, and apps of people who signed in."""

    record: "Record"
    system: Client

    def app(self, name: str) -> Client:
        """Give an app of somebody of the staff, by the name in `STAFF`."""
        role, place = STAFF[name]
        return staff(self.record, role, person=worker(name), organisation=place)

    def __getattr__(self, name: str) -> Client:
        """Give an app of somebody of the staff: `cast.gp`."""
        if name not in STAFF:
            raise AttributeError(name)
        return self.app(name)

    @property
    def mary(self) -> Client:
        """Mary herself."""
        return self._own("patient", MARY)

    @property
    def ben(self) -> Client:
        """Mary's husband, who acts for her as far as she lets him."""
        return self._own("carer", "RelatedPerson/ben")

    def _own(self, kind: str, person: str) -> Client:
        context = {"author": person, "person": person, "launch": {"patient": "mary"}}
        granted = {"client_id": "tests", "scope": "patient/*.cruds"}
        whole = json.dumps(context | {"patients": ["mary"]})
        now = int(time.time() * 1000)
        token = self.record.database.write(
            lambda connection: tokens.create(
                connection, kind=kind, name="tests", now=now, context=whole, **granted
            )
        )
        return Client(create_app(self.record).test_client(), token)


def worker(name: str) -> str:
    """Return the Practitioner of somebody of the staff."""
    return f"Practitioner/{name.replace('_', '-')}"


def open_record(system: Client, surgery: Client, record: "Record") -> Cast:
    """Write the directory and Mary's record, of which the surgery writes the notes."""
    system.update_all(*_directory())
    surgery.update_all(*_notes())
    return Cast(record, system)


def _directory() -> Iterator[Resource]:
    for place in sorted({place for _, place in STAFF.values()}):
        yield given.organisation(place.title(), id=place)
    for name, (_, place) in STAFF.items():
        person = worker(name)
        id = person.partition("/")[2]
        yield given.practitioner(id=id)
        yield {
            "resourceType": "PractitionerRole",
            "id": f"{id}-at-{place}",
            "practitioner": given.reference(person),
            "organization": given.reference(f"Organization/{place}"),
        }


def _notes() -> Iterator[Resource]:
    for who, place in (("mary", "surgery"), ("john", "elsewhere")):
        yield given.patient(
            who.title(),
            "Murray",
            id=who,
            identifier=[{"system": given.NHS_NUMBER, "value": NUMBERS[who]}],
            generalPractitioner=[given.reference(f"Organization/{place}")],
        )
    yield {"resourceType": "RelatedPerson", "id": "ben", "patient": given.reference(MARY)}
    yield given.care_team(MARY, worker("nurse"), worker("coordinator"), id="team")
    yield given.condition(
        MARY, id="diabetes", category=[given.concept("problem-list-item", CONDITION_CATEGORY)]
    )
    yield given.condition(MARY, "8098009", id="chlamydia", meta=labelled("STD"))
    yield given.condition(MARY, "35489007", id="therapy", meta=labelled("PSY"))
    yield given.condition(MARY, "386661006", id="sealed", meta=labelled("R", CONFIDENTIALITY))
    yield {
        "resourceType": "MedicationRequest",
        "id": "metformin",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": given.concept("109081006"),
        "subject": given.reference(MARY),
    }
    yield {
        "resourceType": "Flag",
        "id": "safeguarding",
        "status": "active",
        "category": [given.concept("safeguarding", FLAG)],
        "code": given.concept("225915006"),
        "subject": given.reference(MARY),
        "meta": labelled("V", CONFIDENTIALITY),
    }


NUMBERS = {"mary": "9434765919", "john": "9876543210"}


def age(system: Client, years: int, who: str = MARY) -> None:
    """Make Mary, or another, so many years old."""
    # Half a year past the birthday, so that no day of the year is another age.
    born = (datetime.now(UTC) - timedelta(days=365.25 * years + 180)).date()
    system.update(system.read(who) | {"birthDate": born.isoformat()})


def labelled(code: str, system: str = ACT_CODE) -> Resource:
    """Return a `meta` with one label."""
    return {"security": [{"system": system, "code": code}]}


def task(owner: str, focus: str, status: str = "requested", **more: Any) -> Resource:
    """Ask somebody for something about Mary."""
    return {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "for": given.reference(MARY),
        "focus": given.reference(focus),
        "owner": given.reference(owner),
        **more,
    }


def request(performer: str, code: str = "183519002", **more: Any) -> Resource:
    """Order a service for Mary."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": given.concept(code),
        "subject": given.reference(MARY),
        "performer": [given.reference(performer)],
        **more,
    }


def changed(client: Client, path: str, **elements: Any) -> TestResponse:
    """Send a resource with elements changed, from the version that the caller reads."""
    got = client.get(path)
    whole = got.get_json() | elements
    return client.put(path, whole, If_Match=got.headers["ETag"])
