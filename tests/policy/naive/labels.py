"""Security labels: what is on a row, and whether they let a caller see it. Release times too."""

from datetime import datetime

from tests.policy.naive.moments import span
from tests.policy.naive.questions import Question
from tests.policy.naive.reading import Resource, codes, extension
from tests.policy.naive.vocabulary import RELEASE_TIME

SEALED = {"R", "PRS", "PHY"}
# Who does not see a sensitivity, by role.
_KEPT_FROM = {
    ("HIV", "STD", "SEX", "PSY", "GDIS"): (
        "urgent-care", "social-worker", "third-sector", "care-coordinator", "carer",
    ),
    ("SUD", "ETH"): ("social-worker", "third-sector", "care-coordinator", "carer"),
    ("MH", "SDV", "VIO", "ADOL"): ("third-sector", "care-coordinator", "carer"),
}  # fmt: skip
_OPEN_SEALED = {"registered", "broken glass", "self"}
_NOT_FOR_LOCKED = {"claimed", "broken glass"}


def labels(document: Resource) -> set[str]:
    """Return all codes of `meta.security`, whatever their system."""
    return codes(document, "meta.security")


def is_plain(document: Resource) -> bool:
    """Tell whether no confidentiality is above N; none counts as N."""
    return labels(document).isdisjoint({"R", "V"})


def releases(document: Resource) -> list[datetime]:
    """Return the release times in `meta`, usually one."""
    return [span(text)[0] for text in extension(document.get("meta", {}), RELEASE_TIME)]


def labels_permit(question: Question, kinds: set[str]) -> bool:
    """Tell whether every label lets the caller see the row, who has these kinds of relationship.

    `kinds` are those of the caller's relationships that open the row.
    """
    found, role = labels(question.document), question.caller.role
    wrote = has_written(question)
    if "V" in found:
        # Of several confidentialities the highest counts.
        opens = kinds & {"registered"} if role == "system" else kinds - _NOT_FOR_LOCKED
        if not wrote and not (question.row.type == "Flag" and opens):
            return False
        found = found - {"R"}
    if found & SEALED and not wrote and kinds.isdisjoint(_OPEN_SEALED):
        return False
    if role == "carer" and not is_plain(question.document):
        return False
    if not wrote:
        for some, roles in _KEPT_FROM.items():
            if role in roles and found.intersection(some):
                return False
    return role not in ("patient", "carer") or _is_out(question, found)


def has_written(question: Question) -> bool:
    """Tell whether the caller's organisation sent the first version of the row."""
    organisation = question.caller.organisation
    return organisation is not None and organisation == question.row.organisation


def _is_out(question: Question, found: set[str]) -> bool:
    """Tell whether patient and carers may know of it yet. What a third party said stays unsaid."""
    if found & {"TBOO", "THIRDPARTY"}:
        return False
    return all(time <= question.now for time in releases(question.document))
