"""What the relationships of a caller with a patient open of the record (step 2)."""

from tests.policy.naive.caller import names
from tests.policy.naive.labels import is_plain, labels
from tests.policy.naive.questions import Question
from tests.policy.naive.reading import codes, named
from tests.policy.naive.relationships import relationships
from tests.policy.naive.vocabulary import SENSITIVITIES
from tests.policy.naive.what import is_review
from tests.policy.naive.whose import is_granted, is_party


def kinds(question: Question) -> frozenset[str]:
    """Return the kinds of relationship with the patient whose row it is; none: not of a patient."""
    patient = question.row.patient
    if patient is None:
        return frozenset()
    return relationships(question.record, question.caller, patient, question.now)


def opening(question: Question) -> set[str]:
    """Return the kinds of relationship that open the row; of who watches, that a review does."""
    found = {kind for kind in kinds(question) if _opens(kind, question)}
    return found | ({"review"} if _is_under_review(question) else set())


def _is_under_review(question: Question) -> bool:
    """Tell whether the row is a review that is the caller's to do, or the patient whom it is of."""
    if question.caller.role != "privacy-officer" or question.row.patient is None:
        return False
    called = names(question.record, question.caller, question.now)
    if question.row.type == "Task":
        return is_review(question) and is_party(question)
    return question.row.type == "Patient" and any(
        "break-glass-review" in codes(task.document, "code")
        and not called.isdisjoint(named(task.document, "owner"))
        for task in question.record.of(question.row.patient, "Task")
    )


def _opens(kind: str, question: Question) -> bool:
    if kind in ("asked", "done"):
        # Who the patient is, masked later, and what names the caller; the plan, for who is done.
        is_of_plan = question.row.type in ("CarePlan", "CareTeam", "Goal", "Task")
        is_told = question.row.type == "Patient" or is_party(question)
        return is_told or (kind == "done" and is_of_plan)
    if kind == "proxy":
        return is_granted(question)
    if kind == "claimed":
        return is_plain(question.document) and labels(question.document).isdisjoint(SENSITIVITIES)
    if kind == "broken glass":
        return "V" not in labels(question.document)
    return True
