"""The product's own code systems whose codes people choose or read: what they say, and as FHIR.

Each is served as a CodeSystem and as a ValueSet of the same name (R4 §4.8, §4.9). What an operation
takes, of ours and of HL7's, is a value set too, so that a form can offer it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_profiles.own_names import (
    ACCESS,
    BASE,
    BREAK_GLASS,
    DELAY_REASON,
    DELEGATION,
    EMERGENCY_REASON,
    HELD_BY,
    JUSTIFIED,
    NEEDS_DISCUSSION,
    NOT_JUSTIFIED,
    ORGANIZATION_TYPE,
    OUTCOME,
    PRACTICE,
    REVIEW,
    REVIEW_OUTCOME,
    SELF_CLAIM,
)

Resource = dict[str, Any]
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
DATE = "2026-11-23"


@dataclass(frozen=True, slots=True)
class OwnCodes:
    """A code system of ours: `displays` by code; `also` are codes of others in its value set."""

    url: str
    name: str
    title: str
    description: str
    displays: Mapping[str, str]
    also: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the id under which it is served."""
        return self.url.rpartition("/")[2]

    @property
    def chosen(self) -> dict[str, Mapping[str, str]]:
        """Return the codes of the value set by system."""
        return {**self.also, self.url: self.displays}


def value_set_url(system: str) -> str:
    """Return the url of the value set that goes with a code system of ours."""
    return f"{BASE}/ValueSet/{system.rpartition('/')[2]}"


OWN_CODES: Mapping[str, OwnCodes] = {
    one.url: one
    for one in (
        OwnCodes(
            EMERGENCY_REASON,
            "EmergencyReason",
            "Why a record is opened in an emergency",
            "What `reason` of Patient/$break-glass says beside v3-ActReason.",
            {
                "unable-to-consent": "The person cannot be asked",
                "risk-to-life": "Life is at risk",
                "safeguarding": "The person or somebody else must be protected",
                "relationship-not-recorded": "In care here, which is not recorded yet",
            },
            {ACT_REASON: {"ETREAT": "Emergency treatment", "BTG": "Break the glass"}},
        ),
        OwnCodes(
            REVIEW_OUTCOME,
            "ReviewOutcome",
            "What the review of an emergency opening came to",
            "What `outcome` of Task/$review says.",
            {
                JUSTIFIED: "Justified",
                NOT_JUSTIFIED: "Not justified",
                NEEDS_DISCUSSION: "Needs discussion",
            },
        ),
        OwnCodes(
            ORGANIZATION_TYPE,
            "OrganizationType",
            "What an organisation of health, care or housing is",
            "Organization.type. A practice is named in Patient.generalPractitioner by who "
            "registers people.",
            {
                PRACTICE: "GP practice",
                "hospital": "Hospital",
                "council-social-work": "Social work of a council",
                "care-home": "Care home",
                "housing": "Housing",
                "third-sector": "Third sector",
            },
        ),
        OwnCodes(
            ACCESS,
            "Access",
            "Tasks that say who has access, and what stands in them",
            "Task.code of what the server writes when a record is opened, and the types of its "
            "input and output.",
            {
                BREAK_GLASS: "Record opened in an emergency",
                SELF_CLAIM: "Relationship claimed by oneself",
                DELEGATION: "Access given to a colleague",
                REVIEW: "Review of a record opened in an emergency",
                HELD_BY: "By which relationship whoever delegates has access",
                DELAY_REASON: "Why the patient is told later",
                OUTCOME: "What a review came to",
            },
        ),
    )
}


def definition(type: str, id: str) -> Resource | None:
    """Return a CodeSystem or ValueSet of ours by its id, None for any other."""
    make = {"CodeSystem": _code_system, "ValueSet": _value_set}.get(type)
    known = {one.id: one for one in OWN_CODES.values()}.get(id)
    return make(known) if make is not None and known is not None else None


def _head(type: str, url: str, one: OwnCodes) -> Resource:
    return {
        "resourceType": type,
        "id": one.id,
        "url": url,
        "name": one.name,
        "title": one.title,
        "status": "active",
        "experimental": False,
        "date": DATE,
        "description": one.description,
    }


def _code_system(one: OwnCodes) -> Resource:
    # R4: `valueSet` is the one of all codes of this system, and of no others.
    whole = {} if one.also else {"valueSet": value_set_url(one.url)}
    return {
        **_head("CodeSystem", one.url, one),
        "caseSensitive": True,
        **whole,
        "content": "complete",
        "count": len(one.displays),
        "concept": _concepts(one.displays),
    }


def _value_set(one: OwnCodes) -> Resource:
    of_others = [
        {"system": system, "concept": _concepts(listed)} for system, listed in one.also.items()
    ]
    return {
        **_head("ValueSet", value_set_url(one.url), one),
        "compose": {"include": [*of_others, {"system": one.url}]},
    }


def _concepts(displays: Mapping[str, str]) -> list[Resource]:
    return [{"code": code, "display": display} for code, display in displays.items()]
