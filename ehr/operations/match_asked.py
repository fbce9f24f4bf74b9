"""What $match is asked: a national number and a birth date, read strictly.

They stand in a Patient, which is the parameter `resource` or the whole body (R4 §3.2.0.6: an
operation with one resource as parameter takes it as it is).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from auth.joining.national_numbers import NAMES, SYSTEMS, fault, plain
from ehr.errors import Invalid, Unprocessable
from ehr.messages import Document, Interaction, Params, Resource, replace
from ehr.operations import given
from ehr.urls.counts import read_count
from fhir_profiles.issues import Issue

_KINDS = {system: kind for kind, system in SYSTEMS.items()}
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAMES = ("onlyCertainMatches", "count")
_SYSTEMS = " or ".join(f"{system} ({NAMES[kind]})" for kind, system in SYSTEMS.items())


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is looked for. `most`: entries to return, None for all; `certain`: only one will do."""

    system: str
    number: str
    birth_date: str
    most: int | None
    certain: bool


def read(interaction: Interaction) -> Asked:
    """Return what is asked. Raises Invalid for parameters, Unprocessable for a Patient, that can't
    be used, with each fault and its place.
    """
    patient, at, frame = _parts(interaction)
    pairs = given.texts(replace(interaction, document=frame), _NAMES)
    most, certain = _most(pairs), _is_certain(pairs)
    numbers, faults = _numbers(patient, at)
    born, wrong = _birth_date(patient, at)
    issues = [*faults, *wrong]
    if issues:
        raise Unprocessable(issues[0].diagnostics, issues=issues)
    system, number = numbers[0]
    return Asked(system, number, born, most, certain)


def _parts(interaction: Interaction) -> tuple[Resource, str, Document | None]:
    """Return the Patient, its place, and the other parameters of the body."""
    sent: Any = interaction.document.resource if interaction.document else None
    kind = sent.get("resourceType") if isinstance(sent, dict) else None
    if kind == "Patient":
        return sent, "Patient", None
    if kind != "Parameters":
        raise Invalid(
            "$match takes Parameters with a Patient as `resource`, or a Patient as body.",
            code="structure" if sent else "required",
        )
    listed = given.named(sent)
    places = [number for number, one in enumerate(listed) if one["name"] == "resource"]
    at = f"Parameters.parameter[{places[0]}].resource" if places else "Parameters.parameter"
    patient = listed[places[0]].get("resource") if len(places) == 1 else None
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        raise Invalid(
            "The parameter `resource` comes once and holds a Patient.",
            code="structure" if places else "required",
            expression=at,
        )
    rest = [one for one in listed if one["name"] != "resource"]
    return patient, at, Document(b"", {"resourceType": "Parameters", "parameter": rest})


def _most(pairs: Params) -> int | None:
    text = given.single(pairs, "count")
    if text is None:
        return None
    count = read_count(text)
    if not count:
        raise Invalid(
            f"`count` is `{text[:40]}`. Write a whole number from 1.",
            code="value",
            expression="count",
        )
    return count


def _is_certain(pairs: Params) -> bool:
    text = given.single(pairs, "onlyCertainMatches")
    if text not in (None, "true", "false"):
        raise Invalid(
            f"`onlyCertainMatches` is `{text[:40]}`. Write true or false.",
            code="value",
            expression="onlyCertainMatches",
        )
    return text == "true"


def _numbers(patient: Resource, at: str) -> tuple[list[tuple[str, str]], list[Issue]]:
    """Return the national numbers of a Patient, which is one, and what is wrong with them."""
    numbers: dict[tuple[str, str], None] = {}
    issues = []
    for place, system, value in _national(patient):
        number = plain(value) if isinstance(value, str) else ""
        wrong = fault(_KINDS[system], number, "")  # a birth date may have been put right later
        if wrong:
            issues.append(Issue("value", wrong, f"{at}.identifier[{place}].value"))
        numbers[system, number] = None
    if not numbers:
        text = f"Send the number of the patient: an identifier of system {_SYSTEMS}."
        issues.append(Issue("required", text, f"{at}.identifier"))
    elif len(numbers) > 1 and not issues:
        text = "There are several national numbers. Send the one to look for."
        issues.append(Issue("value", text, f"{at}.identifier"))
    return list(numbers), issues


def _national(patient: Resource) -> Iterator[tuple[int, str, Any]]:
    """Yield place, system and value of each identifier that is a national number."""
    listed = patient.get("identifier")
    for place, one in enumerate(listed if isinstance(listed, list) else ()):
        system = one.get("system") if isinstance(one, dict) else None
        if isinstance(system, str) and system in _KINDS:
            yield place, system, one.get("value")


def _birth_date(patient: Resource, at: str) -> tuple[str, list[Issue]]:
    text = patient.get("birthDate")
    where = f"{at}.birthDate"
    if text is None:
        return "", [Issue("required", "Send the birth date of the patient.", where)]
    if not _is_day(text):
        return "", [Issue("value", "Write the whole birth date, as in 1950-03-02.", where)]
    return str(text), []


def _is_day(text: Any) -> bool:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
