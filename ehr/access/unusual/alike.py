"""In what a member of staff and a patient are alike, by Practitioner and Patient."""

from collections.abc import Iterator, Mapping
from typing import Any

OWN_RECORD = "own record"
SAME_NAME = "same family name"
SAME_ADDRESS = "same address"

Resource = Mapping[str, Any]


def alike(person: Resource, patient: Resource) -> Iterator[str]:
    """Yield in what a member of staff and a patient are alike."""
    names = _families(person) & _families(patient)
    born = person.get("birthDate")
    is_born_alike = born is not None and born == patient.get("birthDate")
    if _identifiers(person) & _identifiers(patient) or (names and is_born_alike):
        yield OWN_RECORD
    if names:
        yield SAME_NAME
    if _addresses(person) & _addresses(patient):
        yield SAME_ADDRESS


def _families(one: Resource) -> set[str]:
    return {str(name["family"]).casefold() for name in one.get("name", ()) if name.get("family")}


def _identifiers(one: Resource) -> set[tuple[str, str]]:
    some = one.get("identifier", ())
    return {(id["system"], id["value"]) for id in some if id.get("system") and id.get("value")}


def _addresses(one: Resource) -> set[tuple[str, str]]:
    """Return post code and first line of each address that has both."""
    found = set()
    for address in one.get("address", ()):
        code = "".join(str(address.get("postalCode", "")).split()).casefold()
        lines = [" ".join(str(line).split()).casefold() for line in address.get("line") or ()]
        if code and lines and lines[0]:
            found.add((code, lines[0]))
    return found
