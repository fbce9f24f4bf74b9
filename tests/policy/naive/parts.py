"""What is left of a resource when a role or a relationship sees parts of it only."""

from tests.policy.naive.reading import Resource

WORDS = {"minimal", "outline", "conclusion"}
_STAYS = ("resourceType", "id")
_OF_META = ("versionId", "lastUpdated")
_LEFT = {
    ("minimal", "Patient"): ("name", "birthDate", "gender", "generalPractitioner"),
    ("outline", "EpisodeOfCare"): ("patient", "status", "type", "period", "managingOrganization"),
    ("conclusion", "DiagnosticReport"): (
        "subject", "status", "category", "code", "effectiveDateTime", "effectivePeriod", "issued",
        "performer", "conclusion",
    ),
    ("conclusion", "ImagingStudy"): ("subject", "status", "modality", "started", "description"),
}  # fmt: skip


def left(words: frozenset[str], type: str) -> set[str] | None:
    """Return the elements that all of these words leave of a type; None: everything.

    KeyError for a word that means nothing for the type.
    """
    found = [set(_LEFT[word, type]) for word in words & WORDS]
    return set.intersection(*found) if found else None


def masked(document: Resource, elements: set[str] | None) -> Resource:
    """Return a document with these elements only; what identifies it always stays."""
    if elements is None:
        return document
    shown = {name: document[name] for name in document if name in _STAYS or name in elements}
    # A primitive's id and extensions are part of it.
    shown |= {name: document[name] for name in document if name[:1] == "_" and name[1:] in elements}
    if "meta" in document:
        shown["meta"] = {key: document["meta"][key] for key in _OF_META if key in document["meta"]}
    return shown
