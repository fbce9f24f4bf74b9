"""Whom an invitation can be made for: what the record says of them decides what it will open.

A patient opens their own record, a carer the one of the patient whom the record names with them. A
colleague gets a role in the organisation of who invites, where the record says that they work: so
nobody makes themselves an account in the name of somebody elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from auth.apps import shown_texts
from auth.joining import invitations
from auth.principal import Principal
from auth.roles.known import OF_STAFF, UNKNOWN, of_staff
from auth.sign_in import standing, users
from auth.sign_in.users import Role
from auth.surroundings import Surroundings

# What who manages an organisation may give, and how it is called there.
ROLES = {
    "gp": "GP",
    "nurse": "Nurse",
    "consultant": "Consultant",
    "doctor": "Doctor",
    "pharmacist": "Pharmacist",
    "therapist": "Therapist",
    "midwife": "Midwife",
    "social-worker": "Social worker",
    "urgent-care": "Urgent care",
    "third-sector": "Housing or third-sector worker",
    "care-coordinator": "Care coordinator",
    "receptionist": "Receptionist",
}
MOST_SHOWN = 30  # colleagues, each of whom is looked up
_NO_KIND = "Choose whom you invite."
# What the command line takes, beside the codes that stand for a role.
WORDS = ", ".join(sorted(OF_STAFF))
_NO_ROLE = "Choose the role of your colleague."
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


class CannotInvite(Exception):
    """Why nobody was invited; `where` is the part of the form that it concerns."""

    def __init__(self, text: str, where: str = "person") -> None:
        super().__init__(text)
        self.where = where


class NobodyThere(CannotInvite):
    """Who was named is not in the record, as far as the caller sees it."""

    def __init__(self) -> None:
        super().__init__("The record has no such person. Check what you entered.")


class HasAccount(CannotInvite):
    """Who was not invited for having an account; how they get back in depends on who asks."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has an account already. "
            "Ask the people who run this server to let them in again."
        )
        self.name = name


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation is made of."""

    kind: str
    fhir_user: str
    name: str
    birth_date: str | None = None
    roles: tuple[Role, ...] = ()
    patients: dict[str, str] = field(default_factory=dict)


def colleagues(surroundings: Surroundings, organisation: str) -> tuple[list[tuple[str, str]], int]:
    """Return names and references of who works at an organisation and has no account.

    The first of them, and how many more there are.
    """
    now = surroundings.clock()
    roles = surroundings.people.roles_in(f"Organization/{organisation}")
    there = {
        str(each.get("practitioner", {}).get("reference", ""))
        for each in roles
        if standing.role_end(each, now) > now
    }
    with surroundings.store.read() as connection:
        new = [one for one in sorted(there) if one and not users.of_person(connection, one, now)]
    named = ((surroundings.people.name(one), one) for one in new[:MOST_SHOWN])
    return sorted((name, one) for name, one in named if name), max(0, len(new) - MOST_SHOWN)


def lacking(kind: str, person: str, role: str) -> list[CannotInvite]:
    """Return all that a form lacks before anybody is looked for."""
    found = []
    if kind not in users.KINDS:
        found.append(CannotInvite(_NO_KIND, "kind"))
    if not person.strip():
        found.append(CannotInvite("Enter who they are in the record."))
    if kind == "professional" and role not in ROLES:
        found.append(CannotInvite(_NO_ROLE, "role"))
    return found


def whom(
    surroundings: Surroundings,
    caller: Principal,
    kind: str,
    person: str,
    roles: tuple[Role, ...] = (),
) -> Invited:
    """Return whom an invitation is for, as the caller may see them. Raises CannotInvite."""
    if kind not in users.KINDS:
        raise CannotInvite(_NO_KIND, "kind")
    if kind == "professional" and not roles:
        raise CannotInvite("Enter the role of your colleague.", "role")
    reference = _reference(surroundings, caller, kind, person.strip())
    found = surroundings.people.resource(caller, reference)
    if found is None:
        raise NobodyThere
    fault = standing.fault(surroundings, reference) or _stranger(surroundings, caller, reference)
    if fault is not None:
        raise CannotInvite(fault)
    birth_date = str(found.get("birthDate", ""))
    if kind != "professional" and len(birth_date) != len("1950-03-01"):
        raise CannotInvite(
            "The record does not hold their full date of birth, which their invitation asks for. "
            "Record it first."
        )
    name = surroundings.people.name(reference) or "Name not recorded"
    if kind == "professional":
        return Invited(kind, reference, name, roles=roles)
    if kind == "patient":
        opened = {reference.removeprefix("Patient/"): users.SELF}
        return Invited(kind, reference, name, birth_date, patients=opened)
    opened = {_acted_for(found): users.PROXY}
    return Invited(kind, reference, name, birth_date, patients=opened)


def carer(surroundings: Surroundings, caller: Principal, person: str) -> tuple[str, str]:
    """Return a RelatedPerson of the record and the id of whom they act for. Raises CannotInvite."""
    reference = _reference(surroundings, caller, "carer", person.strip())
    found = surroundings.people.resource(caller, reference)
    if found is None:
        raise NobodyThere
    fault = standing.fault(surroundings, reference)
    if fault is not None:
        raise CannotInvite(fault)
    return reference, _acted_for(found)


def _acted_for(carer: Mapping[str, Any]) -> str:
    patient = str(carer.get("patient", {}).get("reference", ""))
    if not patient.startswith("Patient/"):
        raise CannotInvite("The record does not say for which patient they act.")
    return patient.removeprefix("Patient/")


def role(name: str, title: str, organisation: str | None, *, manages: bool = False) -> Role:
    """Return a role that an invitation will give. Raises CannotInvite."""
    if name.strip() != UNKNOWN and of_staff(name.strip()) == UNKNOWN:
        raise CannotInvite(f"There is no role {name.strip()!r}. Choose one: {WORDS}.", "role")
    if shown_texts.fault(title, 200) is not None:
        raise CannotInvite("Enter what the role is called, as GP at Northside Practice.", "title")
    return Role(name.strip(), title.strip(), organisation, manages)


def role_there(surroundings: Surroundings, name: str, organisation: str | None) -> Role:
    """Return a role at the organisation of who invites. Raises CannotInvite."""
    if name not in ROLES:
        raise CannotInvite(_NO_ROLE, "role")
    place = surroundings.people.name(f"Organization/{organisation}") if organisation else None
    return Role(name, f"{ROLES[name]} at {place}" if place else ROLES[name], organisation)


def invite(
    connection: Connection,
    surroundings: Surroundings,
    invited: Invited,
    *,
    invited_by: str,
    user_id: str | None = None,
) -> str:
    """Make an invitation and return its code. Raises HasAccount."""
    known = users.of_person(connection, invited.fhir_user, surroundings.clock())
    if known and user_id is None:
        raise HasAccount(invited.name)
    return invitations.create(
        connection,
        surroundings,
        kind=invited.kind,
        fhir_user=invited.fhir_user,
        name=invited.name,
        birth_date=invited.birth_date,
        roles=invited.roles,
        patients=invited.patients,
        invited_by=invited_by,
        user_id=user_id,
    )


def _stranger(surroundings: Surroundings, caller: Principal, reference: str) -> str | None:
    """Say why a professional can't invite somebody; operators know whom they invite."""
    if caller.kind != "professional":
        return None
    if reference == caller.person:
        return "This is you, and you have an account."
    if not reference.startswith("Practitioner/"):
        return None
    if not standing.works_until(surroundings, reference, str(caller.organisation)):
        return "The record does not say that they work at your organisation. Record it first."
    return None


def _reference(surroundings: Surroundings, caller: Principal, kind: str, person: str) -> str:
    type = users.TYPES[kind]
    id = person.removeprefix(f"{type}/")
    if kind == "patient" and id == person:
        found = surroundings.people.find_patients(caller, person, 2)
        if len(found) > 1:
            raise CannotInvite("Several patients fit. Enter the NHS or CHI number.")
        if found:
            return f"Patient/{found[0].id}"
    if not _ID.fullmatch(id):
        raise NobodyThere
    return f"{type}/{id}"
