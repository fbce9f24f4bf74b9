"""Small records written by hand, in which one thing at a time lets a caller in or keeps one out."""

from collections.abc import Iterable
from typing import Any

from tests.policy.naive import Caller, Fact, Record, Row, Version, may_see, relationships
from tests.policy.naive.vocabulary import (
    ACT_CODE,
    CONFIDENTIALITY,
    CONSENT_KIND,
    CONSENT_SCOPE,
    PROXY_ACTION,
    PROXY_AREA,
    RELEASE_TIME,
)
from tests.policy.world.making import NOW, concept, instant, period, ref

Resource = dict[str, Any]
MARY, PRACTICE, WARD, COUNCIL = (
    "Patient/mary", "Organization/practice", "Organization/ward", "Organization/council",
)  # fmt: skip
ANN, BEN = "Practitioner/ann", "RelatedPerson/ben"

PATIENT = Caller("patient", "patient", MARY, None, MARY)
CARER = Caller("carer", "carer", BEN, None, MARY)
SYSTEM = Caller("system", "system")


def staff(role: str = "hospital-consultant", organisation: str = WARD, person: str = ANN) -> Caller:
    """Return somebody at work."""
    return Caller("professional", role, person, organisation)


def sent(
    document: Resource, person: str | None = None, organisation: str | None = None
) -> tuple[Version, ...]:
    """Return the only version of a resource."""
    return (Version(document, NOW, person, organisation),)


def record(*said: Resource | tuple[Version, ...], facts: Iterable[Fact] = ()) -> Record:
    """Return a record of resources, or of versions of them, beside Mary, who has no practice."""
    versions = {MARY: sent(mary())}
    for one in said:
        some = one if isinstance(one, tuple) else sent(one)
        document = next(each.document for each in some if each.document)
        versions[f"{document['resourceType']}/{document['id']}"] = some
    return Record(versions, facts)


def mary(**more: Any) -> Resource:
    """Return the patient."""
    return {
        "resourceType": "Patient",
        "id": "mary",
        "name": [{"family": "Murray"}],
        "birthDate": "1950-03-02",
        "gender": "female",
        "telecom": [{"system": "phone", "value": "1"}],
        **more,
    }


def of_mary(type: str = "Observation", id: str = "x", /, **more: Any) -> Resource:
    """Return a resource whose subject is Mary."""
    return {"resourceType": type, "id": id, "subject": ref(MARY), **more}


def for_mary(type: str, id: str = "x", /, **more: Any) -> Resource:
    """Return a resource whose patient is Mary."""
    return {"resourceType": type, "id": id, "patient": ref(MARY), **more}


def registered(organisation: str = PRACTICE) -> Resource:
    """Return Mary, registered with a practice."""
    return mary(generalPractitioner=[ref(organisation)])


def encounter(status: str = "in-progress", organisation: str = WARD, **more: Any) -> Resource:
    """Return a stay of Mary's, begun yesterday."""
    given = {"serviceProvider": ref(organisation), "period": period(-1)}
    return of_mary("Encounter", "stay", **{"status": status, **given, **more})


def labelled(*codes: str, release: float | None = None) -> Resource:
    """Return `meta` with labels, and with a release time some days from now."""
    levels = ("U", "L", "M", "N", "R", "V")
    made: Resource = {
        "security": [
            {"system": CONFIDENTIALITY if code in levels else ACT_CODE, "code": code}
            for code in codes
        ]
    }
    if release is not None:
        made["extension"] = [{"url": RELEASE_TIME, "valueInstant": instant(release)}]
    return {"meta": made}


def consent(provision: Resource, kind: str = "sharing", **more: Any) -> Resource:
    """Return an active privacy Consent of Mary's."""
    given = {
        "status": "active",
        "scope": concept("patient-privacy", CONSENT_SCOPE),
        "category": [concept(kind, CONSENT_KIND)],
        "performer": [ref(MARY)],
        "provision": provision,
    }
    return for_mary("Consent", f"{kind}-consent", **{**given, **more})


def denial(**more: Any) -> Resource:
    """Return a Consent that denies."""
    return consent({"type": "deny", **more})


def actors(*names: str) -> list[Resource]:
    """Return whom a provision is about."""
    return [{"reference": ref(name)} for name in names]


def proxy(*areas: str, actions: tuple[str, ...] = ("read",), **more: Any) -> Resource:
    """Return the Consent by which Ben acts for Mary."""
    given = {
        "type": "permit",
        "actor": actors(BEN),
        "code": [concept(area, PROXY_AREA) for area in areas],
        "action": [concept(action, PROXY_ACTION) for action in actions],
        "period": period(-10, 10),
    }
    return consent({**given, **more}, "proxy")


def ben(**more: Any) -> Resource:
    """Return the carer."""
    return for_mary("RelatedPerson", "ben", **more)


def row(record: Record, name: str) -> Row:
    """Return a row that is there."""
    found = record.row(name)
    assert found is not None, name
    return found


def sees(record: Record, caller: Caller, name: str = "Observation/x", letter: str = "r") -> bool:
    """Tell whether a caller sees a row."""
    return may_see(record, caller, row(record, name), letter, NOW)


def kinds(record: Record, caller: Caller) -> set[str]:
    """Return the kinds of relationship between a caller and Mary."""
    return relationships(record, caller, MARY, NOW)
