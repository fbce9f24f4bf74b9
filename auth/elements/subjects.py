"""Whose a resource is, is never changed: by nobody, systems neither.

The elements are those of `owners.OWNER_PATHS`. What names nobody yet by a literal reference may be
filed once. Of elements that name many (`participant.actor`) only the patients count.
"""

from collections.abc import Hashable, Iterator
from typing import Any

from auth.elements.facts import Case, Fault
from auth.elements.reading import Resource, at, frozen, name_of
from fhir_profiles.owners import OWNER_PATHS

# Elements that name nothing but the one whom the resource is about.
_OF_ONE = frozenset(
    {"subject", "patient", "for", "beneficiary", "candidate", "individual", "deliverTo"}
)


def subject_faults(case: Case) -> Iterator[Fault]:
    """Yield the elements that say whose a resource is, where they say it otherwise."""
    if case.before is None:
        return
    for path in OWNER_PATHS.get(case.type, ()):
        steps = path.replace("[0]", "")
        if _is_moved(case.before, case.after, steps, case.bases):
            text = (
                f"{case.type}.{path} says whose this is, and stays. Mark this one as entered in "
                "error and make it again for the right person."
            )
            yield Fault(f"{case.type}.{path}", text, 422, "business-rule")


def _is_moved(before: Resource, after: Resource, path: str, bases: tuple[str, ...]) -> bool:
    was, becomes = (_literal(one, path, bases) for one in (before, after))
    if was:
        return was != becomes
    identified = _identified(before, path), _identified(after, path)
    return all(identified) and identified[0] != identified[1]


def _literal(resource: Resource, path: str, bases: tuple[str, ...]) -> set[str]:
    """Return whom literal references name; as they are written where that is not on this server."""
    found = set()
    for one in at(resource, path):
        text = one.get("reference") if isinstance(one, dict) else None
        if isinstance(text, str):
            found.add(name_of(one, bases) or text)
    return found if path in _OF_ONE else {one for one in found if one.startswith("Patient/")}


def _identified(resource: Resource, path: str) -> set[Hashable]:
    if path not in _OF_ONE:
        return set()
    found: list[Any] = at(resource, f"{path}.identifier")
    return {
        (frozen(one.get("system")), frozen(one.get("value")))
        for one in found
        if isinstance(one, dict)
    }
