"""What the relationships of a caller with a patient open of the record (step 2)."""

from tests.policy.naive.labels import labels
from tests.policy.naive.questions import Question
from tests.policy.naive.relationships import relationships
from tests.policy.naive.whose import is_granted, is_party


def kinds(question: Question) -> set[str]:
    """Return the kinds of relationship with the patient whose row it is; none: not of a patient."""
    patient = question.row.patient
    if patient is None:
        return set()
    return relationships(question.record, question.caller, patient, question.now)


def opening(question: Question) -> set[str]:
    """Return the kinds of relationship that open the row."""
    return {kind for kind in kinds(question) if _opens(kind, question)}


def _opens(kind: str, question: Question) -> bool:
    if kind == "asked":
        # Who the patient is, masked later, and what names the caller.
        return question.row.type == "Patient" or is_party(question)
    if kind == "proxy":
        return is_granted(question)
    if kind == "claimed":
        return not question.document.get("meta", {}).get("security")
    if kind == "broken glass":
        return "V" not in labels(question.document)
    return True
