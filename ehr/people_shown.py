"""People and visits of the record, as whoever signs them in shows them."""

from collections.abc import Mapping
from typing import Any

from auth.joining.national_numbers import SYSTEMS
from auth.surroundings import Patient, Visit


def patient_of(resource: Mapping[str, Any]) -> Patient:
    """Return a patient as a picker or a banner shows one."""
    numbers = [
        str(each.get("value", ""))
        for each in resource.get("identifier", ())
        if each.get("system") in SYSTEMS.values()
    ]
    return Patient(
        id=resource["id"],
        name=name_of(resource) or "Name not recorded",
        birth_date=str(resource.get("birthDate", "")),
        gender=str(resource.get("gender", "")),
        identifier=numbers[0] if numbers else "",
    )


def visit_of(resource: Mapping[str, Any]) -> Visit:
    """Return an Encounter as a picker shows one."""
    named = [each.get("text") or _display(each) for each in resource.get("type", ())]
    of_class = resource.get("class", {})
    title = next(filter(None, [*named, of_class.get("display"), of_class.get("code")]), "Visit")
    return Visit(resource["id"], str(title), str(resource.get("period", {}).get("start", "")))


def name_of(resource: Mapping[str, Any]) -> str | None:
    """Return what a person or organisation is called."""
    named = resource.get("name")
    if isinstance(named, str):
        return named
    names = sorted(named or (), key=lambda each: each.get("use") != "official")
    for each in names:
        parts = [*each.get("prefix", ()), *each.get("given", ()), each.get("family", "")]
        written = each.get("text") or " ".join(part for part in parts if part)
        if written:
            return str(written)
    return None


def _display(concept: Mapping[str, Any]) -> str | None:
    return next((each["display"] for each in concept.get("coding", ()) if "display" in each), None)
