"""A small record by hand, for the known leaks: Mary, to whom staff have a relationship, and John.

    house = open_house(record)
    house.gp.get("Observation/mary-pulse"), house.everything.get("Observation/john-pulse")

The practice has registered Mary, the ward treats her; the other practice has registered John. What
is John's has the id of Mary's, with his name in it.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auth import tokens
from ehr.app import create_app
from tests import given
from tests.client import Client
from tests.policy.leaks.asking import SCOPES, context_of
from tests.policy.naive import Caller
from tests.policy.naive.vocabulary import CONFIDENTIALITY

if TYPE_CHECKING:
    from flask import Flask

    from ehr.record import Record

Resource = dict[str, Any]
SEALED = {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
SENDER = "https://sender.example.org"
WHO = ("mary", "john")


@dataclass(frozen=True, slots=True)
class House:
    """Clients of one record: one from whom nothing is hidden, and what makes others."""

    app: "Flask"
    record: "Record"
    everything: Client

    def client(self, caller: Caller, scope: str = "") -> Client:
        """Let somebody in, with all scopes of the kind unless others are given."""
        place = caller.organisation
        token = self.record.database.write(
            lambda connection: tokens.create(
                connection,
                kind=caller.kind,
                name="tests",
                now=int(time.time() * 1000),
                scope=scope or SCOPES[caller.kind],
                organisation=place and place.partition("/")[2],
                client_id="tests",
                context=json.dumps(context_of(caller)),
            )
        )
        return Client(self.app.test_client(), token)

    def staff(self, role: str, person: str, place: str, scope: str = "") -> Client:
        """Let a professional in who signed in at an organisation."""
        who = Caller("professional", role, f"Practitioner/{person}", f"Organization/{place}")
        return self.client(who, scope)

    @property
    def gp(self) -> Client:
        """Mary's GP."""
        return self.staff("gp", "ann", "practice")

    @property
    def consultant(self) -> Client:
        """Who treats Mary in hospital, and is asked to see John."""
        return self.staff("hospital-consultant", "ben", "ward")

    @property
    def mary(self) -> Client:
        """Mary herself."""
        return self.client(Caller("patient", "patient", "Patient/mary", None, "Patient/mary"))


def open_house(record: "Record") -> House:
    """Write the record and return it."""
    app = create_app(record)
    now = int(time.time() * 1000)
    token = record.database.write(
        lambda connection: tokens.create(connection, kind="system", name="tests", now=now)
    )
    everything = Client(app.test_client(), token)
    everything.update_all(*_shared(), *(one for who in WHO for one in _person(who)))
    everything.update_all(*(one for who in WHO for one in _of(who)))
    return House(app, record, everything)


def _shared() -> Iterator[Resource]:
    for place in ("practice", "other", "ward"):
        yield given.organisation(place.title(), id=place)
    for person in ("ann", "ben"):
        yield given.practitioner(id=person, identifier=[{"system": "urn:n", "value": person}])
    yield {
        "resourceType": "Questionnaire",
        "id": "how",
        "status": "active",
        "url": "https://forms.example.org/how",
    }


def _person(who: str) -> Iterator[Resource]:
    place = "practice" if who == "mary" else "other"
    yield given.patient(
        who.title(),
        "Murray",
        id=who,
        identifier=[{"system": "urn:n", "value": who}],
        telecom=[{"system": "phone", "value": f"0131 {who}"}],
        generalPractitioner=[given.reference(f"Organization/{place}")],
    )


def _of(who: str) -> Iterator[Resource]:
    other = "john" if who == "mary" else "mary"
    me = f"Patient/{who}"
    ann = [given.reference("Practitioner/ann")]
    vital = [given.concept("vital-signs", CATEGORY)]
    more: Resource = {"category": vital, "performer": ann}
    yield given.observation(me, id=f"{who}-pulse", value=72 if who == "mary" else 99, **more)
    yield given.observation(me, id=f"{who}-focus", focus=[given.reference(f"Patient/{other}")])
    yield given.condition(me, id=f"{who}-condition", recorder=ann[0])
    if who == "mary":
        ward = given.reference("Organization/ward")
        yield given.encounter(me, id="mary-stay", status="in-progress", serviceProvider=ward)
    yield {
        "resourceType": "ServiceRequest",
        "id": f"{who}-order",
        "status": "active",
        "intent": "order",
        "code": given.concept("183519002"),
        "subject": given.reference(me),
        "performer": [given.reference("Practitioner/ben")],
    }
    # Ben has not answered yet whether he takes it on.
    yield {
        "resourceType": "Task",
        "id": f"{who}-asked",
        "status": "requested",
        "intent": "order",
        "for": given.reference(me),
        "focus": given.reference(f"ServiceRequest/{who}-order"),
        "owner": given.reference("Practitioner/ben"),
    }
    yield {
        "resourceType": "QuestionnaireResponse",
        "id": f"{who}-answers",
        "status": "completed",
        "questionnaire": "https://forms.example.org/how",
        "subject": given.reference(me),
    }
    yield {
        "resourceType": "Appointment",
        "id": f"{who}-appointment",
        "status": "booked",
        "start": "2025-06-20T09:00:00Z",
        "end": "2025-06-20T09:10:00Z",
        "participant": [
            {"actor": given.reference(name), "status": "accepted"}
            for name in (me, "Practitioner/ann")
        ],
    }
    yield given.binary(id=f"{who}-scan", securityContext=given.reference(me))
    yield _document(who)


def _document(who: str) -> Resource:
    composition = {
        "resourceType": "Composition",
        "id": f"{who}-inside",
        "status": "final",
        "type": given.concept("34133-9", given.LOINC),
        "subject": given.reference(f"Patient/{who}"),
        "date": "2025-01-01",
        "author": [given.reference("Practitioner/ann")],
        "title": "Summary",
    }
    return {
        "resourceType": "Bundle",
        "id": f"{who}-document",
        "type": "document",
        "identifier": {"system": "urn:documents", "value": who},
        "timestamp": "2025-01-01T00:00:00Z",
        "entry": [{"fullUrl": f"{SENDER}/Composition/{who}-inside", "resource": composition}],
    }


def ids(bundle: Resource) -> set[str]:
    """Return the ids of the resources in a Bundle."""
    return {entry["resource"]["id"] for entry in bundle.get("entry", ())}


def found(client: Client, request: str) -> set[str]:
    """Return the ids of what a search finds, and of what comes along."""
    return ids(client.read(request))


def told(response: Any) -> tuple[int, str, list[str]]:
    """Return what an answer says, John and nobody alike."""
    text = response.get_data(as_text=True).replace("john", "nobody")
    return response.status_code, text, sorted(name for name, _ in response.headers)


def is_as_unknown(client: Client, method: str, path: str, body: Any = None, **more: Any) -> bool:
    """Tell whether a request about John is answered as the same about nobody."""
    unknown = json.loads(json.dumps(body).replace("john", "nobody")) if body is not None else None
    answers = [
        told(client.request(method, where, sent, **more))
        for where, sent in ((path, body), (path.replace("john", "nobody"), unknown))
    ]
    return answers[0] == answers[1]
