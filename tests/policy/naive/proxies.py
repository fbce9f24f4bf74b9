"""Carers: the proxy Consents by which a RelatedPerson acts for a patient, and what they permit."""

from datetime import datetime

from tests.policy.naive.moments import is_within, span
from tests.policy.naive.reading import Resource, codes, extension, local, named, pairs
from tests.policy.naive.record import Record
from tests.policy.naive.vocabulary import AREAS, CONSENT_KIND, PROXY_ACTION, PROXY_AREA, PROXY_BASIS

_ACTIONS = {"r": "read", "s": "read", "h": "read", "c": "write", "u": "write"}
# A parent sees a child's record until then: a young person's own say begins (years).
_CHILDHOOD = 13


def is_proxy(consent: Resource) -> bool:
    """Tell whether a Consent lets somebody act for the patient."""
    return (CONSENT_KIND, "proxy") in pairs(consent, "category")


def proxies(record: Record, carer: str | None, patient: str, now: datetime) -> list[Resource]:
    """Return the proxy Consents in force by which a RelatedPerson acts for a patient."""
    person = record.row(carer) if carer is not None else None
    if person is None or person.is_deleted or named(person.document, "patient") != {patient}:
        return []
    if person.document.get("active") is False:
        return []
    if not is_within(person.document.get("period"), now):
        return []
    return [
        row.document
        for row in record.of(patient, "Consent")
        if _is_in_force(row.document, now)
        and carer in {local(one.get("reference")) for one in row.document["provision"]["actor"]}
        and not _is_of_parent_of_grown_up(record, row.document, patient, now)
    ]


def permits(consents: list[Resource], letter: str, type: str) -> bool:
    """Tell whether one of these proxies permits a letter on a type, by area and action."""
    for consent in consents:
        action = codes(consent, "provision.action") & {"read", "write"}
        areas = {code for system, code in pairs(consent, "provision.code") if system == PROXY_AREA}
        if _ACTIONS.get(letter) in action and any(type in AREAS.get(area, ()) for area in areas):
            return True
    return False


def _is_in_force(consent: Resource, now: datetime) -> bool:
    provision = consent.get("provision", {})
    return (
        is_proxy(consent)
        and consent["status"] == "active"
        and "patient-privacy" in codes(consent, "scope")
        and provision.get("type") == "permit"
        and "actor" in provision
        and all(system == PROXY_ACTION for system, _ in pairs(provision, "action"))
        and is_within(provision.get("period"), now)
    )


def _is_of_parent_of_grown_up(
    record: Record, consent: Resource, patient: str, now: datetime
) -> bool:
    """A parent's proxy ends on a birthday. Without a basis it is a parent's, unless the patient
    consents to it; without a birth date it has ended."""
    basis = extension(consent, PROXY_BASIS)
    consents = any(name.startswith("Patient/") for name in named(consent, "performer"))
    if basis != ["parental-responsibility"] and (basis or consents):
        return False
    person = record.row(patient)
    birth = person.document.get("birthDate") if person is not None else None
    if birth is None or len(birth) < 10:
        return True
    born = span(birth)[0]
    return now >= born.replace(year=born.year + _CHILDHOOD, day=min(born.day, 28))
