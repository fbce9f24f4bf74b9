"""Documents and terms for tests of relationships and consents."""

from typing import Any

from ehr.access.relationships import Ceiling, Kind, Relationship, Source, relationships_of
from ehr.access.terms import Terms
from ehr.search.values.intervals import interval_reader
from fhir_profiles.own_names import ACCESS, CONSENT_KIND, PROXY, PROXY_ACTION, PROXY_AREA

Resource = dict[str, Any]
TERMS = Terms(interval_reader("UTC"), ("https://own.example/fhir",))
NOON = 1_750_000_000_000  # 2025-06-15T15:06:40Z


def to(text: str) -> Resource:
    """Return a Reference."""
    return {"reference": text}


def concept(system: str, *codes: str) -> Resource:
    """Return a CodeableConcept."""
    return {"coding": [{"system": system, "code": code} for code in codes]}


def made(
    document: Resource, *, at: int = NOON, before: tuple[Relationship, ...] = (), birth: str = ""
) -> tuple[Relationship, ...]:
    """Return what a document gives rise to; its id is `x`."""
    return relationships_of(Source("x", document, at, before, birth or None), TERMS)


def live(some: tuple[Relationship, ...], at: int = NOON) -> dict[str, tuple[Kind, Ceiling]]:
    """Return what is in force at a moment, by grantee, what opens nothing left out."""
    return {
        one.grantee: (one.kind, one.ceiling)
        for one in some
        if one.from_ <= at < one.to and one.ceiling > Ceiling.NOTHING
    }


def day(text: str) -> int:
    """Return the first ms of a day in UTC."""
    found = TERMS.moment(text)
    assert found is not None
    return found[0]


def team(*participants: Resource, **more: Any) -> Resource:
    """Return an active CareTeam."""
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": to("Patient/mary"),
        "participant": list(participants),
        **more,
    }


def encounter(status: str = "in-progress", **more: Any) -> Resource:
    """Return an Encounter of one consultant at one hospital."""
    return {
        "resourceType": "Encounter",
        "status": status,
        "class": {"code": "IMP"},
        "subject": to("Patient/mary"),
        "participant": [{"individual": to("Practitioner/con")}],
        "serviceProvider": to("Organization/hospital"),
        "period": {"start": "2025-06-01"},
        **more,
    }


def request(status: str = "active", **more: Any) -> Resource:
    """Return a ServiceRequest to one organisation."""
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "subject": to("Patient/mary"),
        "performer": [to("Organization/physio")],
        "authoredOn": "2025-06-01",
        **more,
    }


def task(status: str, **more: Any) -> Resource:
    """Return a Task for one organisation about ServiceRequest/x."""
    return {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "for": to("Patient/mary"),
        "owner": to("Organization/physio"),
        "focus": to("ServiceRequest/x"),
        "authoredOn": "2025-06-01",
        **more,
    }


def access_task(code: str, status: str = "in-progress", **more: Any) -> Resource:
    """Return a Task that the server writes for who asked for access."""
    return {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "code": concept(ACCESS, code),
        "for": to("Patient/mary"),
        "owner": to("Practitioner/ann"),
        "executionPeriod": {"start": "2025-06-15T15:00:00Z"},
        **more,
    }


def consent(provision: Resource | None = None, **more: Any) -> Resource:
    """Return an active privacy Consent."""
    scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    found = {
        "resourceType": "Consent",
        "status": "active",
        "scope": concept(scope, "patient-privacy"),
        "category": [concept(CONSENT_KIND, "sharing")],
        "patient": to("Patient/mary"),
        **more,
    }
    return found if provision is None else {**found, "provision": provision}


def proxy(**more: Any) -> Resource:
    """Return a Consent by which a carer reads and writes the plan, and reads medicines."""
    provision = {
        "type": "permit",
        "actor": [actor("RelatedPerson/ben")],
        "code": [concept(PROXY_AREA, "plan"), concept(PROXY_AREA, "medicines")],
        "action": [concept(PROXY_ACTION, "read")],
        "period": {"start": "2025-01-01", "end": "2025-12-31"},
        **more.pop("provision", {}),
    }
    given = {"category": [concept(CONSENT_KIND, PROXY)], "performer": [to("Patient/mary")]}
    return consent(provision, **{**given, **more})


def actor(text: str, role: str = "PRCP") -> Resource:
    """Return an actor who receives data."""
    system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
    return {"role": concept(system, role), "reference": to(text)}
