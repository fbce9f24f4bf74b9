"""The roles that the access table has rows for, and which one a caller is in.

Roles are given out in these places: `auth/joining/inviting.py` (what a manager may choose for a
colleague, and any word that is known here by the command line), `ehr/cli/user_changes.py`,
`ehr/cli/demo_access.py` (people of the demo); they are kept in `user_role.role`, put into the
context of a grant by `auth/authorizing/granting.py`, and read into `Principal.role` by
`auth/tokens.py`, `auth/grants/held.py` and `auth/authorizing/own_reading.py`. At CIS2 staff choose
a role (`auth/joining/upstream_roles.py`), and the word of that place here is then in force. Codes
of RBAC and SNOMED CT are known too, as PractitionerRoles and other providers have them, though
nothing puts one into a Principal yet. Deny by default: a professional whose word is not known is
`other-staff`, who may nothing clinical.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from auth.principal import Principal


@dataclass(frozen=True, slots=True)
class Role:
    """One row of the table; `signs_in` is false for what is a place in a care team."""

    word: str
    label: str
    meaning: str
    signs_in: bool = True


ROLES: tuple[Role, ...] = (
    Role("gp", "GP", "A doctor of the practice where the patient is registered."),
    Role("hospital-consultant", "Hospital consultant", "A doctor who treats in a hospital."),
    Role(
        "nurse",
        "Nurse or allied health professional",
        "Nurses, midwives, therapists, pharmacists and mental-health workers.",
    ),
    Role(
        "urgent-care",
        "Urgent care",
        "Accident and emergency, out of hours, ambulance: reads to decide in a crisis.",
    ),
    Role("social-worker", "Social worker", "Assesses needs and arranges social care."),
    Role(
        "third-sector",
        "Housing or third-sector worker",
        "Works outside health and social care on single areas of a person's life.",
    ),
    Role("care-coordinator", "Care coordinator", "Keeps plan, team and appointments together."),
    Role(
        "named-lead",
        "Named lead",
        "A place in the care team: what it adds to the role that its holder signs in with.",
        signs_in=False,
    ),
    Role("receptionist", "Receptionist", "Registers and books; reads no notes."),
    Role("patient", "Patient", "The person whom the record is about."),
    Role("carer", "Carer", "Acts for a patient, as far as the grant for it goes."),
    Role(
        "privacy-officer",
        "Privacy officer or auditor",
        "Watches over who looked; reads the audit trail and no clinical content.",
    ),
    Role("analyst", "Analyst or board member", "Reads figures about groups of people."),
    Role("admin", "Administrator", "Looks after accounts, directory and server; treats nobody."),
    Role("system", "System", "Another record or service, which acts for itself."),
    Role("other-staff", "Other staff", "A professional whose role is not known: nothing clinical."),
)
WORDS: tuple[str, ...] = tuple(role.word for role in ROLES)
UNKNOWN = "other-staff"
# Whoever signs in as a professional is in one of these.
OF_STAFF = frozenset(role.word for role in ROLES if role.signs_in) - {"patient", "carer", "system"}

_BY_KIND = {"patient": "patient", "carer": "carer", "system": "system", "operator": "admin"}
# Other words that are given out, and codes that stand for a role.
_ALSO: Mapping[str, str] = {
    # auth/joining/inviting.py
    "consultant": "hospital-consultant",
    "doctor": "hospital-consultant",
    "pharmacist": "nurse",
    "therapist": "nurse",
    "midwife": "nurse",
    # National RBAC of England, as CIS2 tells it: S0:G0:R0260.
    "R0260": "gp",
    "R0050": "hospital-consultant",
    "R8000": "hospital-consultant",
    "R8001": "nurse",
    "R8003": "nurse",
    "R0243": "social-worker",
    "R8008": "receptionist",
    "R8009": "receptionist",
    "R0001": "privacy-officer",
    "R5105": "privacy-officer",
    # SNOMED CT, as care teams and PractitionerRoles have them.
    "62247001": "gp",
    "768839008": "hospital-consultant",
    "224535009": "nurse",
    "106328005": "social-worker",
    "768832004": "care-coordinator",
}
_RBAC = re.compile(r"(?:[A-Z]\d+:)*(R\d{4})")


def role_of(principal: Principal) -> str:
    """Return the word of the role that a caller is in; always one of `WORDS`.

    The kind decides first: no word makes a professional of a patient, or the other way round.
    """
    by_kind = _BY_KIND.get(principal.kind)
    if by_kind is not None:
        return by_kind
    return of_staff(principal.role) if principal.kind == "professional" else UNKNOWN


def of_staff(word: str | None) -> str:
    """Return the role of staff that a word or code stands for, `other-staff` for none."""
    if word is None:
        return UNKNOWN
    if word in OF_STAFF:
        return word
    rbac = _RBAC.fullmatch(word)
    return _ALSO.get(rbac[1] if rbac else word, UNKNOWN)
