"""Carers: the proxy Consents by which a RelatedPerson acts for a patient, and what they permit."""

from datetime import datetime

from tests.policy.naive.moments import is_within, span
from tests.policy.naive.reading import Resource, codes, extension, local, named, pairs
from tests.policy.naive.record import Record
from tests.policy.naive.vocabulary import AREAS, CONSENT_KIND, PROXY_ACTION, PROXY_AREA, PROXY_BASIS

_ACTIONS = {"r": "read", "s": "read", "h": "read", "c": "write", "u": "write"}
# Ages of a child (years): from the first on a parent keeps these areas only, from the second none.
_REVIEW, _END = 13, 16
_OF_THE_YOUNG = {"appointments", "demographics", "messages"}


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
    found = []
    for row in record.of(patient, "Consent"):
        consent = row.document
        if not _is_in_force(consent, now):
            continue
        if carer not in {local(one.get("reference")) for one in consent["provision"]["actor"]}:
            continue
        age = _age_of_child(record, consent, patient, now)
        if age < _END:
            found.append(consent if age < _REVIEW else _of_the_young(consent))
    return found


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


def _of_the_young(consent: Resource) -> Resource:
    """Return a proxy without the areas that a parent does not keep."""
    provision = consent["provision"]
    kept = [
        one for one in provision.get("code", []) if codes({"code": one}, "code") & _OF_THE_YOUNG
    ]
    return {**consent, "provision": {**provision, "code": kept}}


def _age_of_child(record: Record, consent: Resource, patient: str, now: datetime) -> int:
    """Return how old a child is whose parent acts, 0 where it is none.

    Without a basis it is a parent's, unless the patient consents to it; without a birth date the
    child has grown up.
    """
    basis = extension(consent, PROXY_BASIS)
    consents = any(name.startswith("Patient/") for name in named(consent, "performer"))
    if basis != ["parental-responsibility"] and (basis or consents):
        return 0
    person = record.row(patient)
    birth = person.document.get("birthDate") if person is not None else None
    if birth is None or len(birth) < 10:
        return _END
    born = span(birth)[0]
    had_birthday = (now.month, now.day) >= (born.month, born.day)
    return now.year - born.year - (not had_birthday)
