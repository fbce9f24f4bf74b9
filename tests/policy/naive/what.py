"""Narrowings by what a row is: its category, status and labels."""

from tests.policy.naive.labels import is_plain, labels, releases
from tests.policy.naive.questions import Question
from tests.policy.naive.reading import Resource, at, codes, local, named, pairs
from tests.policy.naive.record import SERVER, Row
from tests.policy.naive.vocabulary import SNOMED

_PACKAGES = {(SNOMED, "60689008"), (SNOMED, "893451000000102")}


def is_key(question: Question) -> bool:
    """Tell whether it is a key problem."""
    return (
        question.row.type == "Condition"
        and "problem-list-item" in codes(question.document, "category")
        and bool(codes(question.document, "clinicalStatus") & {"active", "recurrence", "relapse"})
        and is_plain(question.document)
    )


def is_need(question: Question) -> bool:
    """Tell whether a Condition is a need."""
    return question.row.type == "Condition" and "need" in codes(question.document, "category")


def is_care(question: Question) -> bool:
    """Tell whether it is a package of social care."""
    told = pairs(question.document, "category", "code")
    return question.row.type == "ServiceRequest" and not told.isdisjoint(_PACKAGES)


def is_clinical(question: Question) -> bool:
    """Tell whether it is neither a need nor a package."""
    if question.row.type == "Condition":
        return not is_need(question)
    return question.row.type == "ServiceRequest" and not is_care(question)


def is_social(question: Question) -> bool:
    """Tell whether it is of social care."""
    told = codes(question.document, "category")
    if question.row.type == "Observation":
        return "social-history" in told
    if question.row.type in ("Composition", "DocumentReference"):
        return "social-care" in told
    return question.row.type == "Binary" and any(
        "social-care" in codes(row.document, "category") for row in _documents_of(question)
    )


def is_document_shared(question: Question) -> bool:
    """Tell whether it is a finished document without a label above N."""
    if question.row.type == "Binary":
        return any(_is_finished(row.document) for row in _documents_of(question))
    return _is_finished(question.document)


def _is_finished(document: Resource) -> bool:
    finished = {"Composition": ("final", "amended"), "DocumentReference": ("current",)}
    status = finished.get(document["resourceType"], ())
    return is_plain(document) and document.get("status") in status


def _documents_of(question: Question) -> list[Row]:
    """Return the DocumentReferences that refer to a Binary and that the caller sees."""
    return [
        row
        for row in question.record.referrers(question.row.name)
        if row.type == "DocumentReference" and question.sees(row)
    ]


def is_vital(question: Question) -> bool:
    """Tell whether it is a vital sign."""
    return question.row.type == "Observation" and "vital-signs" in codes(
        question.document, "category"
    )


def is_reported(question: Question) -> bool:
    """Tell whether the patient reported it."""
    return "patient-reported" in codes(question.document, "meta.tag")


def is_about_me(question: Question) -> bool:
    """Tell whether it is the patient's About Me."""
    if question.row.type == "Composition":
        return "about-me" in codes(question.document, "type")
    canonical = str(question.document.get("questionnaire", "")).partition("|")[0]
    return question.row.type == "QuestionnaireResponse" and canonical.endswith("/about-me")


def is_question(question: Question) -> bool:
    """Tell whether a Task is of the kinds that patients make."""
    made = {"question", "correction", "own-action"}
    return question.row.type == "Task" and bool(codes(question.document, "code") & made)


def is_review(question: Question) -> bool:
    """Tell whether a Task reviews a break-glass."""
    told = codes(question.document, "code")
    return question.row.type == "Task" and "break-glass-review" in told


def is_of_access(question: Question) -> bool:
    """Tell whether a Consent is a choice of sharing or a proxy grant."""
    told = codes(question.document, "scope")
    return question.row.type == "Consent" and "patient-privacy" in told


def is_aggregate(question: Question) -> bool:
    """Tell whether a report is of figures, and lists no people."""
    document = question.document
    lists = at(document, "group.population.subjectResults")
    lists += at(document, "group.stratifier.stratum.population.subjectResults")
    subjects = at(document, "subject")
    # A subject that is not named by a reference may be a patient.
    is_of_patient = any((local(one) or "Patient/").startswith("Patient/") for one in subjects)
    return document.get("type") == "summary" and not is_of_patient and not lists


def is_foreign(question: Question) -> bool:
    """Tell whether another system observed the event."""
    observers = named(question.document, "source.observer")
    return bool(observers) and SERVER not in observers


def is_unlocked(question: Question) -> bool:
    """Tell whether it is not locked."""
    return "V" not in labels(question.document)


def is_released(question: Question) -> bool:
    """Tell whether nothing holds it back from the patient."""
    is_out = all(time <= question.now for time in releases(question.document))
    return is_out and "TBOO" not in labels(question.document)


def is_told(question: Question) -> bool:
    """Tell whether it was given a release time, which has passed."""
    return is_released(question) and bool(releases(question.document))


def is_unfinished(question: Question) -> bool:
    """Tell whether an answer to questions is in progress."""
    return question.document.get("status") == "in-progress"
