"""Labels: which role may set or take away which, and the refusal. Nothing is stripped in silence.

`meta.security` and the release time in `meta.extension` decide who sees a row, so that they are
written by whoever may decide that: staff on what their organisation wrote, GPs on all, patients on
what they wrote themselves.
"""

from collections.abc import Iterator, Mapping

from auth.elements.facts import Case, Fault, Resource, Writer
from auth.elements.reading import codings, frozen, releases
from fhir_profiles.facets import CONFIDENTIALITY, SENSITIVITY
from fhir_profiles.owners import SHARED

ALL = frozenset(CONFIDENTIALITY) | frozenset(SENSITIVITY)
# What a patient asks for, and that a patient reported it.
_ASKED = frozenset({"PRS", "PATRPT"})

# Roles that are not here set none. The second: on every row, or on what is of the writer only.
LABELS: Mapping[str, tuple[frozenset[str], bool]] = {
    "gp": (ALL, True),
    "privacy-officer": (ALL, True),
    "system": (ALL, True),
    "hospital-consultant": (ALL, False),
    "nurse": (ALL, False),
    "urgent-care": (ALL, False),
    "social-worker": (ALL, False),
    "care-coordinator": (ALL, False),
    "patient": (_ASKED, False),
    "carer": (frozenset({"PATRPT"}), False),
}
# Of what all share, labels are those of whoever keeps it.
SHARED_LABELS: Mapping[str, frozenset[str]] = {"admin": ALL, "system": ALL}


def may_label(writer: Writer, type: str) -> frozenset[str]:
    """Return the codes of labels that a writer may set or take away on resources of a type.

    On what others wrote, only those of LABELS that say so; codes that are none here need all.
    """
    if type in SHARED:
        return SHARED_LABELS.get(writer.role, frozenset())
    return LABELS.get(writer.role, (frozenset(), False))[0]


def label_faults(case: Case) -> Iterator[Fault]:
    """Yield the labels that are set or taken away without the right."""
    differ = _labels(case.before) ^ _labels(case.after)
    is_release = _releases(case.before) != _releases(case.after)
    right = may_label(case.writer, case.type)
    if (differ or is_release) and not _reaches(case):
        right = frozenset()
    refused = sorted({code for _, code in differ if right != ALL and code not in right})
    if refused:
        text = f"{', '.join(refused)}: {_may(right)} Send `meta.security` as it is, or none."
        yield Fault(f"{case.type}.meta.security", text, 403, "forbidden")
    if is_release and right != ALL:
        text = (
            "When the patient sees it is said by who wrote it or a GP. Leave releaseTime as it is."
        )
        yield Fault(f"{case.type}.meta.extension", text, 403, "forbidden")


def _reaches(case: Case) -> bool:
    """Tell whether the right reaches this row: it is made now, or is the writer's, or any is."""
    is_everywhere = LABELS.get(case.writer.role, (frozenset(), False))[1]
    needed = "mine" if case.writer.kind == "professional" else "own"
    return case.before is None or is_everywhere or case.type in SHARED or needed in case.held


def _may(right: frozenset[str]) -> str:
    if right:
        return f"you may set {', '.join(sorted(right))} only."
    return "labels are set by who wrote the resource, or a GP."


def _labels(resource: Resource | None) -> frozenset[tuple[str, str]]:
    return frozenset(codings(resource, "meta.security"))


def _releases(resource: Resource | None) -> frozenset[object]:
    return frozenset(map(frozen, releases(resource or {})))
