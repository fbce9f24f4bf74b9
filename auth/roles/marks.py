"""What a resource says of itself that the role table goes by: words of `narrowings.py`. Pure.

Each mark is told where it is met, so that a row without marks is narrowed away, never opened. Marks
are kept with the index (`ehr/search/parameters/marks.py`); labels are not among them, for versions
have labels of their own. `safeguarding` is no word of the table: consents go by it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from auth.roles.narrowings import PACKAGES

Resource = Mapping[str, Any]
Test = Callable[[Resource], bool]

_PACKAGES = frozenset(PACKAGES)
_KEY_STATUS = frozenset({"active", "recurrence", "relapse"})
_QUESTIONS = frozenset({"question", "correction", "own-action"})


def marks(resource: Resource) -> frozenset[str]:
    """Return the words that a resource meets by what it says."""
    tests = _TESTS.get(str(resource.get("resourceType")), {})
    return frozenset(word for word, is_met in tests.items() if is_met(resource))


def is_marked(word: str) -> bool:
    """Tell whether marks decide a word, wholly or in part."""
    return any(word in tests for tests in _TESTS.values())


def _of_category(*codes: str) -> Test:
    return lambda resource: not {*_codes(resource.get("category"))}.isdisjoint(codes)


def _is_need(resource: Resource) -> bool:
    return "need" in _codes(resource.get("category"))


def _is_key(resource: Resource) -> bool:
    is_listed = "problem-list-item" in _codes(resource.get("category"))
    return is_listed and not _KEY_STATUS.isdisjoint(_codes(resource.get("clinicalStatus")))


def _is_care(resource: Resource) -> bool:
    told = (*_tokens(resource.get("category")), *_tokens(resource.get("code")))
    return not _PACKAGES.isdisjoint(told)


def _is_reported(resource: Resource) -> bool:
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    return "patient-reported" in (one.get("code") for one in _objects(tags))


def _is_form_about(resource: Resource) -> bool:
    return str(resource.get("questionnaire", "")).partition("|")[0].endswith("/about-me")


def _is_aggregate(resource: Resource) -> bool:
    """Tell whether a report is of figures: a subject that is not named by a reference may be a
    patient."""
    subject = resource.get("subject")
    named = str(subject.get("reference", "Patient/")) if isinstance(subject, dict) else ""
    is_of_patient = subject is not None and ("Patient/" in named or not named)
    lists = "subjectResults" in _names(resource.get("group"))
    return resource.get("type") == "summary" and not is_of_patient and not lists


def _of_status(*values: str) -> Test:
    return lambda resource: resource.get("status") in values


def _not(test: Test) -> Test:
    return lambda resource: not test(resource)


def _codes(concepts: Any) -> Iterator[str]:
    """Yield the codes of a CodeableConcept or a list of these, of whatever system."""
    for coding in _codings(concepts):
        if isinstance(coding.get("code"), str):
            yield coding["code"]


def _tokens(concepts: Any) -> Iterator[str]:
    for coding in _codings(concepts):
        yield f"{coding.get('system', '')}|{coding.get('code', '')}"


def _codings(concepts: Any) -> Iterator[Resource]:
    for concept in _objects(concepts):
        yield from _objects(concept.get("coding"))


def _objects(found: Any) -> Iterator[Resource]:
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            yield one


def _names(found: Any) -> frozenset[str]:
    """Return the names of all members in it, however deep."""
    if isinstance(found, list):
        return frozenset[str]().union(*map(_names, found))
    if isinstance(found, dict):
        return frozenset(found).union(*map(_names, found.values()))
    return frozenset()


_TESTS: Mapping[str, Mapping[str, Test]] = {
    "Condition": {"need": _is_need, "clinical": _not(_is_need), "key": _is_key},
    "ServiceRequest": {"care": _is_care, "clinical": _not(_is_care)},
    "Observation": {
        "social": _of_category("social-history"),
        "vital": _of_category("vital-signs"),
        "reported": _is_reported,
        "measured": _not(_is_reported),
    },
    "Composition": {
        "social": _of_category("social-care"),
        "about": lambda resource: "about-me" in _codes(resource.get("type")),
        "shared": _of_status("final", "amended"),
    },
    "DocumentReference": {
        "social": _of_category("social-care"),
        "shared": _of_status("current"),
    },
    "QuestionnaireResponse": {"about": _is_form_about, "unfinished": _of_status("in-progress")},
    "Task": {
        "question": lambda task: not _QUESTIONS.isdisjoint(_codes(task.get("code"))),
        "review": lambda task: "break-glass-review" in _codes(task.get("code")),
    },
    "Consent": {"access": lambda consent: "patient-privacy" in _codes(consent.get("scope"))},
    "MeasureReport": {"aggregate": _is_aggregate},
    "Flag": {"safeguarding": _of_category("safeguarding")},
}
