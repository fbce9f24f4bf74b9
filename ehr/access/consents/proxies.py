"""Proxy Consents: a RelatedPerson acts for the patient, in named areas, with an end.

`provision`: `actor` the RelatedPersons, `code` of PROXY_AREA which parts, `action` of PROXY_ACTION
(or HL7's access, correct) to do what, `period` how long. Nested denials keep items back
(`rules.py`). Who acts as a parent sees less from the age of review on and nothing from the end of
childhood on, for which the birth date has to be known. No proxy widens: permissions
are those written here, and what they open is less than the patient's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ehr.access.consents.areas import AREAS, OF_THE_YOUNG, permit
from ehr.access.consents.kinds import is_active, is_proxy
from ehr.access.consents.model import Problem
from ehr.access.terms import (
    ALWAYS,
    FOREVER,
    Interval,
    Resource,
    Terms,
    codes,
    extension,
    joint,
    parts,
)
from fhir_profiles.own_names import (
    BASES,
    BASIS,
    BY_PARENT,
    PROXY_ACTION,
    PROXY_AREA,
    READ,
    WRITE,
)

_HL7_ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
_OF_HL7 = {"access": READ, "correct": WRITE}
_CARER = frozenset({"RelatedPerson"})
# What of a provision a grant is made of; anything else would narrow it, and is not obeyed.
_OBEYED = frozenset({"type", "period", "actor", "action", "code", "provision", "extension", "id"})
_AT = "Consent.provision"


@dataclass(frozen=True, slots=True)
class Proxy:
    """What a RelatedPerson may do from a time to another; `permits` as `read:plan write:plan`."""

    grantee: str
    from_: int
    to: int
    permits: str


def proxies(consent: Resource, terms: Terms, birth: str | None) -> tuple[Proxy, ...]:
    """Return what a Consent permits to carers; none where it has problems."""
    if not is_active(consent) or not is_proxy(consent) or proxy_problems(consent, terms):
        return ()
    provision = consent["provision"]
    period = terms.period(provision.get("period"))
    areas, actions = _areas(provision), _actions(provision)
    found: list[Proxy] = []
    for actor in parts(provision, "actor"):
        name = terms.name(actor.get("reference"), _CARER)
        for span, kept in _ages(consent, terms, birth):
            shared = joint(period, span)
            permits = " ".join(
                permit(one, area) for one in actions for area in areas if not kept or area in kept
            )
            if name is not None and shared is not None and permits:
                found.append(Proxy(name, *shared, permits))
    return tuple(found)


def proxy_problems(consent: Resource, terms: Terms) -> tuple[Problem, ...]:
    """Return why a proxy Consent can't be obeyed exactly."""
    provision: Any = consent.get("provision")
    if not isinstance(provision, dict):
        return (
            Problem(_AT, "A proxy Consent needs a provision: for whom, which areas, to do what."),
        )
    return tuple(_faults(consent, provision, terms))


def _faults(consent: Resource, provision: Resource, terms: Terms) -> Iterator[Problem]:
    if provision.get("type", "permit") != "permit":
        yield Problem(f"{_AT}.type", "A proxy Consent permits; keep things back by nested denials.")
    actors = parts(provision, "actor")
    if not actors or any(terms.name(one.get("reference"), _CARER) is None for one in actors):
        yield Problem(f"{_AT}.actor", "Name each carer by a reference to a RelatedPerson.")
    areas = _areas(provision)
    if not areas or set(areas) - AREAS.keys() or _has_others(provision, "code", PROXY_AREA):
        known = ", ".join(sorted(AREAS))
        yield Problem(f"{_AT}.code", f"Name the areas by codes of {PROXY_AREA}: {known}.")
    if not _actions(provision) or _has_other_actions(provision):
        yield Problem(f"{_AT}.action", f"Name the actions by codes of {PROXY_ACTION}: read, write.")
    for name in sorted(provision.keys() - _OBEYED):
        if not name.startswith("_"):
            yield Problem(
                f"{_AT}.{name}", f"A proxy can't be limited by {name}. Use nested denials."
            )
    if any(one.get("type") != "deny" for one in parts(provision, "provision")):
        yield Problem(f"{_AT}.provision.type", "What is nested in a proxy Consent only denies.")
    if terms.period(provision.get("period")) is None:
        yield Problem(f"{_AT}.period", "The period ends before it begins.")
    if (basis := extension(consent, BASIS)) is not None and basis not in BASES:
        yield Problem("Consent.extension", f"The basis is one of {', '.join(sorted(BASES))}.")


def _areas(provision: Resource) -> tuple[str, ...]:
    return tuple(sorted(codes(provision.get("code"), PROXY_AREA)))


def _actions(provision: Resource) -> tuple[str, ...]:
    found = {*codes(provision.get("action"), PROXY_ACTION)} & {READ, WRITE}
    of_hl7 = codes(provision.get("action"), _HL7_ACTION)
    return tuple(sorted(found | {_OF_HL7[code] for code in of_hl7 if code in _OF_HL7}))


def _has_others(provision: Resource, name: str, *systems: str) -> bool:
    """Tell whether a concept has no code of these systems: words alone are not obeyed."""
    some = parts(provision, name)
    return any(not any(codes(one, system) for system in systems) for one in some)


def _has_other_actions(provision: Resource) -> bool:
    told = codes(provision.get("action"), PROXY_ACTION)
    of_hl7 = codes(provision.get("action"), _HL7_ACTION)
    is_unknown = bool({*told} - {READ, WRITE}) or bool({*of_hl7} - _OF_HL7.keys())
    return is_unknown or _has_others(provision, "action", PROXY_ACTION, _HL7_ACTION)


def _ages(
    consent: Resource, terms: Terms, birth: str | None
) -> tuple[tuple[Interval, frozenset[str]], ...]:
    """Return stretches of time, and the areas that are left in each (empty: all)."""
    if not _is_of_parent(consent):
        return (((ALWAYS, FOREVER), frozenset()),)
    review, end = (birthday(terms, birth, age) for age in (terms.review_age, terms.end_age))
    if review is None or end is None:
        return ()
    return ((ALWAYS, review), frozenset()), ((review, max(review, end)), OF_THE_YOUNG)


def _is_of_parent(consent: Resource) -> bool:
    """Tell whether a carer acts for a child: so it is, unless another basis is told or the patient
    consents."""
    basis = extension(consent, BASIS)
    if basis is not None:
        return bool(basis == BY_PARENT)
    by = [str(one.get("reference") or "") for one in parts(consent, "performer")]
    return not any("Patient/" in text for text in by)


def birthday(terms: Terms, birth: str | None, age: int) -> int | None:
    """Return the first ms of a birthday; of 29 February, 1 March in other years.

    None where the birth date is not known.
    """
    if not birth or not birth[:4].isdecimal():
        return None
    text = f"{int(birth[:4]) + age:04}{birth[4:]}"
    found = terms.moment(text) or terms.moment(f"{text[:4]}-03-01")
    return found[0] if found else None
