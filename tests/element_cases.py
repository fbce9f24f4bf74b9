"""Writers and resources that the tests of the rules of elements are written with."""

from typing import Any

from auth.elements import Fault, Writer, judge

Resource = dict[str, Any]

MARY, PETER = "Patient/mary", "Patient/peter"
ANN, BEN, CARLA = "Practitioner/ann", "Practitioner/ben", "Practitioner/carla"
PRACTICE, WARD, COUNCIL = "Organization/practice", "Organization/ward", "Organization/council"


def staff(role: str, person: str = ANN, organisation: str = PRACTICE, **more: Any) -> Writer:
    """Return a professional with one place at an organisation."""
    place = f"PractitionerRole/{person.partition('/')[2]}"
    names = frozenset({person, place, organisation})
    return Writer("professional", role, names, person, organisation, **more)


GP = staff("gp")
CONSULTANT = staff("hospital-consultant", BEN, WARD)
NURSE = staff("nurse", BEN, WARD)
SOCIAL_WORKER = staff("social-worker", CARLA, COUNCIL)
COORDINATOR = staff("care-coordinator", CARLA, COUNCIL)
THIRD_SECTOR = staff("third-sector", CARLA, COUNCIL)
# The place only: the role has no right of its own.
LEAD = staff("other-staff", BEN, WARD, is_lead=True)
OFFICER = staff("privacy-officer", "Practitioner/olga", "Organization/trust")
RECEPTIONIST = staff("receptionist", "Practitioner/rob", PRACTICE)
URGENT_CARE, ANALYST, OTHER = (
    staff(role, "Practitioner/zoe", "Organization/elsewhere")
    for role in ("urgent-care", "analyst", "other-staff")
)
PATIENT = Writer("patient", "patient", frozenset({MARY}), MARY, None)
CARER = Writer("carer", "carer", frozenset({"RelatedPerson/kim"}), "RelatedPerson/kim", None)
ADMIN = Writer("operator", "admin", frozenset(), None, None)
SYSTEM = Writer("system", "system", frozenset({WARD}), None, WARD)
EVERYBODY = (
    GP, CONSULTANT, NURSE, SOCIAL_WORKER, COORDINATOR, THIRD_SECTOR, LEAD, OFFICER, RECEPTIONIST,
    PATIENT, CARER, ADMIN, SYSTEM, URGENT_CARE, ANALYST, OTHER,
)  # fmt: skip
MINE, OWN, REGISTERED = (frozenset({word}) for word in ("mine", "own", "registered"))


def ref(name: str) -> Resource:
    """Return a Reference."""
    return {"reference": name}


def concept(code: str, system: str = "http://snomed.info/sct") -> Resource:
    """Return a CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


def said(text: str, by: str | None = None) -> Resource:
    """Return an Annotation."""
    return {"text": text} if by is None else {"text": text, "authorReference": ref(by)}


def of_mary(type: str, /, **elements: Any) -> Resource:
    """Return a resource about Mary, by the element that its type has for that."""
    about = {"Task": "for", "Consent": "patient", "AllergyIntolerance": "patient"}
    return {"resourceType": type, "id": "x", about.get(type, "subject"): ref(MARY), **elements}


def mary(**elements: Any) -> Resource:
    """Return Mary."""
    return {"resourceType": "Patient", "id": "mary", "birthDate": "1950-01-01", **elements}


def refused(
    writer: Writer, before: Resource | None, words: frozenset[str] = frozenset(), /, **changes: Any
) -> list[tuple[str, int]]:
    """Return where a change of some elements is at fault, with the statuses; None takes away."""
    assert before is not None
    after = {key: value for key, value in {**before, **changes}.items() if value is not None}
    return faults(judge(writer, before, after, words=words))


def faults(found: tuple[Fault, ...]) -> list[tuple[str, int]]:
    """Return where faults are, with their statuses."""
    return [(one.expression, one.status) for one in found]
