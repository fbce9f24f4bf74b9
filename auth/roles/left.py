"""What is left of a resource of which only parts are shown, and what it may be searched by. Pure.

The words `minimal`, `outline` and `conclusion` of `narrowings.py`; a type has one of them. What is
hidden can't be searched or sorted by either: how many match would tell it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ALWAYS = ("resourceType", "id")
_OF_META = ("versionId", "lastUpdated")
# Searches by what says nothing of the content.
_OUTSIDE = frozenset({"_id", "_lastUpdated"})


@dataclass(frozen=True, slots=True)
class Left:
    """The elements that stay, and the search parameters that read nothing else."""

    elements: frozenset[str]
    parameters: frozenset[str]


def _left(elements: str, parameters: str) -> Left:
    return Left(frozenset(elements.split()), frozenset(parameters.split()))


LEFT: Mapping[str, Left] = {
    "Patient": _left(
        "name birthDate gender generalPractitioner",
        "name family given phonetic birthdate gender general-practitioner",
    ),
    "EpisodeOfCare": _left(
        "patient status type period managingOrganization", "status type date organization patient"
    ),
    "DiagnosticReport": _left(
        "subject status category code effectiveDateTime effectivePeriod issued performer "
        "conclusion",
        "status category code date issued performer patient subject",
    ),
    "ImagingStudy": _left(
        "subject status modality started description", "status modality started patient subject"
    ),
}


def left_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is shown of a resource of a type in `LEFT`, without narrative and extensions."""
    kept = LEFT[resource["resourceType"]].elements
    # What a primitive has beside its value stands under its name, after `_`.
    found = {
        name: value
        for name, value in resource.items()
        if name.removeprefix("_") in kept or name in _ALWAYS
    }
    meta = {name: value for name, value in resource.get("meta", {}).items() if name in _OF_META}
    return found | ({"meta": meta} if meta else {})


def is_told_by(type: str, parameter: str) -> bool:
    """Tell whether a search parameter reads only what is shown of every row of a type."""
    return type not in LEFT or parameter in LEFT[type].parameters or parameter in _OUTSIDE
