"""What $match tells of a patient: who that is and where they are registered, and nothing else.

Each element is taken by its name, parts of elements too, so that extensions and whatever else a
record holds stay where they are. Names are those in use: a former one may be what somebody hides.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from ehr.messages import Instant, Resource
from ehr.operations.match_asked import Asked
from ehr.store.bodies import instant
from fhir_profiles.subset import SUBSETTED

MATCH_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_NAME = ("use", "text", "family", "given", "prefix", "suffix")
_PRACTICE = ("reference", "type", "identifier", "display")
_IDENTIFIER = ("system", "value")


def is_meant(patient: Resource, asked: Asked) -> bool:
    """Tell whether a record is in use and has what was asked for, by itself and not by its index.

    One that another replaced, or that is not active, leads to nobody who is cared for by it.
    """
    replaced = any(one.get("type") == "replaced-by" for one in _dicts(patient.get("link")))
    return (
        not replaced
        and patient.get("active") is not False
        and patient.get("birthDate") == asked.birth_date
        and any(_is_sent(one, asked) for one in _dicts(patient.get("identifier")))
    )


def part(patient: Resource, asked: Asked, today: str) -> Resource:
    """Return what is told of a patient. `today` (YYYY-MM-DD) says which names are over."""
    sent = next(one for one in _dicts(patient["identifier"]) if _is_sent(one, asked))
    shown: Resource = {
        "resourceType": "Patient",
        "id": patient["id"],
        "meta": {"tag": [SUBSETTED]},
        "identifier": [_only(sent, _IDENTIFIER)],
        "name": _names(patient, today),
        "gender": patient.get("gender"),
        "birthDate": patient["birthDate"],
        "generalPractitioner": _practices(patient),
    }
    return {name: value for name, value in shown.items() if value}


def bundle(found: Sequence[Resource], asked: Asked, *, base: str, id: str, at: Instant) -> Resource:
    """Return the searchset. Several who have one number and birth date are none of them certain."""
    if asked.certain and len(found) > 1:
        found = ()
    certain = len(found) == 1
    entries = [_entry(one, base, certain=certain) for one in found[: asked.most]]
    head: Resource = {
        "resourceType": "Bundle",
        "id": id,
        "meta": {"lastUpdated": instant(at)},
        "type": "searchset",
        "total": len(found),
    }
    return {**head, "entry": entries} if entries else head


def _entry(patient: Resource, base: str, *, certain: bool) -> Resource:
    grade = {"url": MATCH_GRADE, "valueCode": "certain" if certain else "probable"}
    return {
        "fullUrl": f"{base}/Patient/{patient['id']}",
        "resource": patient,
        "search": {"extension": [grade], "mode": "match", "score": 1 if certain else 0.5},
    }


def _is_sent(identifier: Resource, asked: Asked) -> bool:
    value = identifier.get("value")
    return identifier.get("system") == asked.system and value == asked.number


def _names(patient: Resource, today: str) -> list[Resource]:
    """Return the official and usual names in use; those that say no use where there are none."""
    current = [one for one in _dicts(patient.get("name")) if not _is_over(one, today)]
    named = [one for one in current if one.get("use") in ("official", "usual")]
    chosen = named or [one for one in current if "use" not in one]
    return [shown for one in chosen if (shown := _only(one, _NAME))]


def _is_over(name: Resource, today: str) -> bool:
    end = str(name.get("period", {}).get("end", ""))[: len(today)]
    return bool(end) and end < today[: len(end)]


def _practices(patient: Resource) -> list[Resource]:
    """Return where the patient is registered; the people who work there are left out."""
    listed = _dicts(patient.get("generalPractitioner"))
    return [_practice(one) for one in listed if _is_organisation(one)]


def _is_organisation(reference: Resource) -> bool:
    """Tell whether a Reference names an organisation that is not inside the patient itself."""
    text = reference.get("reference")
    if not isinstance(text, str):
        return reference.get("type") == "Organization"
    parts = text.partition("/_history/")[0].split("/")
    return len(parts) > 1 and parts[-2] == "Organization"


def _practice(reference: Resource) -> Resource:
    shown = _only(reference, _PRACTICE)
    if "identifier" in shown:
        shown["identifier"] = _only(shown["identifier"], _IDENTIFIER)
    return shown


def _only(element: Resource, names: Iterable[str]) -> Resource:
    # The extensions of a list's members stand under `_given` and the like; what is null has one.
    kept = {name: _filled(element[name]) for name in names if name in element}
    return {name: value for name, value in kept.items() if value}


def _filled(value: Any) -> Any:
    return [one for one in value if one is not None] if isinstance(value, list) else value


def _dicts(listed: Any) -> list[Resource]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
