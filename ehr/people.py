"""What the record says of people, for whoever signs them in: asked through the one door.

Each question is an interaction of the caller, so that a patient picker finds nobody whom the caller
may not see. People who signed in, but asked by no app, have scopes for these questions and no more.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from auth.joining.national_numbers import SYSTEMS
from auth.principal import Principal
from auth.scopes import parse
from auth.sign_in import standing
from auth.surroundings import NewPatient, NotWritten, Patient, Visit
from ehr.audit.failing import AuditFailed
from ehr.errors import FhirError, Gone
from ehr.interactions.access.practices import is_practice
from ehr.messages import Document, Interaction, Params, Preconditions
from ehr.people_shown import name_of, patient_of, visit_of
from ehr.pipeline import handle, unaudited

if TYPE_CHECKING:
    from ehr.record import Record

# What a person who signed in may look at before any app was granted anything: whose record to open.
_CHOOSING = parse(
    "user/Patient.rs user/Encounter.rs user/Practitioner.r user/PractitionerRole.r "
    "user/RelatedPerson.r user/Organization.r openid fhirUser"
)
# What who registers a patient does: looks whether they are there, and writes them where not.
_REGISTERING = parse("user/Patient.crs")
# Asks what everybody may know who signs in: whether a person is there, and what they are called.
_OURSELVES = Principal(
    "sign-in",
    "system",
    "sign-in",
    scopes=parse(
        "system/Patient.r system/Person.r system/Practitioner.r system/PractitionerRole.rs "
        "system/RelatedPerson.r system/Organization.r"
    ),
)
# Asks what everybody may know: which organisations name an Endpoint.
_EVERYBODY = Principal(
    "brands", "system", "brands", scopes=parse("system/Endpoint.rs system/Organization.rs")
)
_ASKED_BY_ITSELF = (_OURSELVES, _EVERYBODY, standing.OURSELVES)
_SIGNED_IN = ("professional", "patient", "carer")
_REFERENCE = re.compile(r"([A-Za-z]+)/([A-Za-z0-9.-]{1,64})")
_NUMBER = re.compile(r"[0-9][0-9 ]{8,12}[0-9]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
NATIONAL = tuple(SYSTEMS.values())


class People:
    """People of one record."""

    def __init__(self, record: "Record") -> None:
        self._record = record

    def patient(self, caller: Principal, id: str) -> Patient | None:
        """Return one patient; None where there is none, or none that this caller may see."""
        found = self.resource(caller, f"Patient/{id}")
        return None if found is None else patient_of(found)

    def find_patients(self, caller: Principal, text: str, limit: int = 20) -> Sequence[Patient]:
        """Return patients by national number or id, or by name and birth date (`Mary 1950-03-01`).

        Names alone find nobody: no list of people is to be read off.
        """
        params = _asked(text.strip())
        if not params:
            return []
        params += (("_count", str(limit)),)
        return [patient_of(each) for each in self._found(caller, "Patient", params)]

    def register(self, caller: Principal, new: NewPatient) -> tuple[Patient, bool]:
        """Write a patient as this caller; return them, and whether their number was there before.

        They are registered with the caller's organisation, where that is a GP practice. One
        interaction does both, so that two who register the same person at once write one.
        """
        resource = _new_patient(new)
        place = f"Organization/{caller.organisation}"
        here = self.resource(_OURSELVES, place) if caller.organisation else None
        if here is not None and is_practice(here):
            resource["generalPractitioner"] = [{"reference": place}]
        asked = Interaction(
            name="create",
            type="Patient",
            method="POST",
            document=Document(json.dumps(resource).encode(), resource),
            preconditions=Preconditions(if_none_exist=f"identifier={new.system}|{new.number}"),
        )
        try:
            result = handle(self._record, replace(caller, scopes=_REGISTERING), asked)
        except FhirError as error:
            raise NotWritten(str(error)) from None
        if result.body is None:
            raise NotWritten("it did not say what it wrote.")
        return patient_of(json.loads(result.body)), result.status == HTTPStatus.OK

    def encounter_patient(self, caller: Principal, id: str) -> str | None:
        """Return the id of the patient of an Encounter that this caller may see."""
        found = self.resource(caller, f"Encounter/{id}")
        if found is None:
            return None
        reference = str(found.get("subject", {}).get("reference", ""))
        return reference.removeprefix("Patient/") if reference.startswith("Patient/") else None

    def visits(self, caller: Principal, patient: str, limit: int = 20) -> Sequence[Visit]:
        """Return the latest visits of a patient that this caller may see, the last one first."""
        if _REFERENCE.fullmatch(f"Patient/{patient}") is None:
            return []
        of = (("patient", f"Patient/{patient}"), ("_sort", "-date"), ("_count", str(limit)))
        return [visit_of(each) for each in self._found(caller, "Encounter", of)]

    def exists(self, reference: str) -> bool:
        """Tell whether `Type/id` is a current resource."""
        return self.resource(_OURSELVES, reference) is not None

    def is_deleted(self, reference: str) -> bool:
        """Tell whether `Type/id` was there, and is not any more."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            return False
        try:
            unaudited(
                self._record, _OURSELVES, Interaction(name="read", type=match[1], id=match[2])
            )
        except Gone:
            return True
        except FhirError:
            return False
        return False

    def roles_at(self, practitioner: str, organisation: str) -> Sequence[Mapping[str, Any]]:
        """Return the PractitionerRoles of `Practitioner/id` at `Organization/id`, ended or not."""
        there = (("practitioner", practitioner), ("organization", organisation))
        if not all(_REFERENCE.fullmatch(reference) for _, reference in there):
            return []
        return self._found(_OURSELVES, "PractitionerRole", (*there, ("_count", "100")))

    def roles_in(self, organisation: str) -> Sequence[Mapping[str, Any]]:
        """Return some hundred PractitionerRoles at `Organization/id`, ended or not."""
        if not _REFERENCE.fullmatch(organisation):
            return []
        there = (("organization", organisation), ("_count", "100"))
        return self._found(_OURSELVES, "PractitionerRole", there)

    def workplaces(self, practitioner: str, role_id: str, ods_code: str) -> Sequence[str]:
        """Return the ids of the Organizations where `Practitioner/id` works in a role.

        That is the active PractitionerRole with this identifier; where none has it, those at the
        organisation of this ODS code.
        """
        if not _REFERENCE.fullmatch(practitioner):
            return []
        of = (("practitioner", practitioner), ("_count", "100"))
        found = self._found(_OURSELVES, "PractitionerRole", of)
        active = [each for each in found if each.get("active") is not False]
        named = [each for each in active if _is_named(each, role_id)]
        places = [
            str(each.get("organization", {}).get("reference", "")) for each in named or active
        ]
        ours = [one for one in places if one.startswith("Organization/")]
        if not named:
            ours = [one for one in ours if ods_code and self._is_at(one, ods_code)]
        return [one.removeprefix("Organization/") for one in ours]

    def _is_at(self, organisation: str, ods_code: str) -> bool:
        found = self.resource(_OURSELVES, organisation)
        return found is not None and _is_named(found, ods_code, _ODS)

    def name(self, reference: str) -> str | None:
        """Return what a person or organisation is called."""
        found = self.resource(_OURSELVES, reference)
        return None if found is None else name_of(found)

    def resource(self, caller: Principal, reference: str) -> Mapping[str, Any] | None:
        """Return a resource that this caller may read."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            return None
        return self._ask(caller, Interaction(name="read", type=match[1], id=match[2]))

    def brands(self, base: str) -> Sequence[Mapping[str, Any]]:
        """Return the active Endpoints at an address, and the Organizations that name them."""
        active = (("status", "active"), ("connection-type", "hl7-fhir-rest"), ("_count", "1000"))
        found = self._found(_EVERYBODY, "Endpoint", active)
        ours = [each for each in found if str(each["address"]).removesuffix("/") == base]
        if not ours:
            return []
        named = ",".join(f"Endpoint/{each['id']}" for each in ours)
        of_these = (("active", "true"), ("endpoint", named), ("_count", "1000"))
        return [*ours, *self._found(_EVERYBODY, "Organization", of_these)]

    def _found(self, caller: Principal, type: str, params: Params) -> list[dict[str, Any]]:
        asked = Interaction(name="search-type", type=type, params=params)
        answer = self._ask(caller, asked)
        return [] if answer is None else [each["resource"] for each in answer.get("entry", [])]

    def _ask(self, caller: Principal, interaction: Interaction) -> dict[str, Any] | None:
        if caller.scopes is None and caller.kind in _SIGNED_IN:
            caller = replace(caller, scopes=_CHOOSING)
        # What the server asks by itself concerns nobody; whom it is told, is.
        ask = unaudited if caller in _ASKED_BY_ITSELF else handle
        try:
            result = ask(self._record, caller, interaction)
        except AuditFailed:
            raise
        except FhirError:
            return None
        resource: dict[str, Any] | None = json.loads(result.body) if result.body else None
        return resource


def _asked(text: str) -> Params:
    if _NUMBER.fullmatch(text):
        number = text.replace(" ", "")
        return (("identifier", ",".join(f"{system}|{number}" for system in NATIONAL)),)
    if _DATE.search(text):
        date = _DATE.search(text)
        words = _DATE.sub(" ", text).split()
        if date is None or not words:
            return ()
        names = tuple(("name", re.sub(r"([\\$,|])", r"\\\1", word)) for word in words[:5])
        return (*names, ("birthdate", date[0]))
    return ()


def _is_named(resource: Mapping[str, Any], value: str, system: str | None = None) -> bool:
    return any(
        each.get("value") == value and system in (None, each.get("system"))
        for each in resource.get("identifier", ())
    )


def _new_patient(new: NewPatient) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "active": True,
        "identifier": [{"use": "official", "system": new.system, "value": new.number}],
        "name": [{"use": "official", "family": new.family, "given": new.given.split()}],
        "birthDate": new.birth_date,
    }
