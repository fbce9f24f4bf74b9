"""Who asks: kind and role of a token, and the names by which relationships know the caller."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from tests.policy.naive.moments import is_within
from tests.policy.naive.reading import named
from tests.policy.naive.record import Record

OF_THEMSELVES = ("patient", "carer")


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller with a token of all scopes.

    `kind` is professional, operator, system, patient or carer, `role` a word of the role table.
    `person` is the fhirUser (`Practitioner/x`, `Patient/x`, `RelatedPerson/x`), `organisation`
    where the person signed in, or that a system acts for. `patient` is whose record a patient or
    carer opens.
    """

    kind: str
    role: str
    person: str | None = None
    organisation: str | None = None
    patient: str | None = None
    purpose: str | None = None


def places(record: Record, caller: Caller, now: datetime) -> set[str]:
    """Return the PractitionerRoles in force of the person at the organisation signed in at."""
    return {
        row.name
        for row in record.of(None, "PractitionerRole")
        if named(row.document, "practitioner") == {caller.person}
        and named(row.document, "organization") == {caller.organisation}
        and row.document.get("active") is not False
        and is_within(row.document.get("period"), now)
    }


@lru_cache(maxsize=1024)
def names(record: Record, caller: Caller, now: datetime) -> frozenset[str]:
    """Return the caller's names: the person, the PractitionerRoles in force, the organisation.

    A patient and a carer are themselves only.
    """
    found = {caller.person}
    if caller.kind not in OF_THEMSELVES:
        found |= {caller.organisation} | places(record, caller, now)
    return frozenset(name for name in found if name is not None)


def own_names(record: Record, caller: Caller, now: datetime) -> frozenset[str]:
    """Return the names of the caller as a person, the organisation left out."""
    return names(record, caller, now) - {caller.organisation}
