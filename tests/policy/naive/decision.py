"""The decision: what a caller sees of a record, and whether a write is permitted.

Each function takes a `Record`, a `Caller`, a `Row` of it and the moment; letters are crudsh. Scopes
are left out: callers here have all.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from tests.policy.naive.caller import Caller
from tests.policy.naive.changes import CHANGES, Change
from tests.policy.naive.consents import consents_permit
from tests.policy.naive.labels import has_written, labels_permit
from tests.policy.naive.opening import kinds, opening
from tests.policy.naive.parts import left, masked
from tests.policy.naive.questions import Question
from tests.policy.naive.reading import Resource, mentioned, named
from tests.policy.naive.record import Record, Row
from tests.policy.naive.roles import holding, role_permits
from tests.policy.naive.vocabulary import RELEASE_TIME


def may_see(record: Record, caller: Caller, row: Row, letter: str, now: datetime) -> bool:
    """Tell whether a row as it stands is open to a caller. What is deleted is not."""
    question = ask(record, caller, row, letter, now)
    if row.is_deleted or not role_permits(question) or not _is_open(question):
        return False
    return all(_is_told(record, caller, one, now) for one in _told_of(record, row))


def _is_told(record: Record, caller: Caller, row: Row, now: datetime) -> bool:
    """Tell whether a caller may be told of a row by a Provenance about it."""
    if caller.kind == "system":
        return True
    return row.type != "Binary" and may_see(record, caller, row, "r", now)


def _told_of(record: Record, row: Row) -> Iterator[Row]:
    """Yield what a Provenance is about, of what there ever was: it is seen with all of it only."""
    if row.type == "Provenance":
        for name in named(row.document, "target"):
            found = record.row(name)
            if found is not None and found.type != "Provenance":
                yield found


def shown(record: Record, caller: Caller, row: Row, letter: str, now: datetime) -> Resource | None:
    """Return what a caller sees of a row, masked as the role and the relationship ask; or None."""
    if not may_see(record, caller, row, letter, now):
        return None
    return _masked(ask(record, caller, row, letter, now), row.document)


def may_see_version(
    record: Record, caller: Caller, row: Row, number: int, letter: str, now: datetime
) -> bool:
    """Tell whether version `number`, from 1, is open: by what is current, and by its own labels.

    The current row is asked with its own labels and with those of the version; both must permit. A
    deletion has those of what was deleted.
    """
    labelled = _labels_of(row, number)
    for one in (row, replace(row, document=_with_labels(row.document, labelled))):
        question = ask(record, caller, one, letter, now)
        if not (role_permits(question) and _is_open(question)):
            return False
    return all(_is_told(record, caller, one, now) for one in _told_of(record, row))


def shown_version(
    record: Record, caller: Caller, row: Row, number: int, letter: str, now: datetime
) -> Resource | None:
    """Return what a caller sees of a version; None for what is not open, and for a deletion."""
    document = row.versions[number - 1].document
    if document is None or not may_see_version(record, caller, row, number, letter, now):
        return None
    return _masked(ask(record, caller, row, letter, now), document)


def may_write(
    record: Record,
    caller: Caller,
    before: Row | None,
    after: Resource | None,
    now: datetime,
    *,
    is_beside: bool = False,
) -> bool:
    """Tell whether a row may be made (no `before`), changed, or deleted (no `after`).

    Judged before and after: open both times, and one narrowing that holds both times. A system may
    seal from itself what it passes on. The rules of single elements, and of moves from status to
    status, are not judged here.
    """
    if before is not None and not may_see(record, caller, before, "r", now):
        return False
    letter = "c" if before is None else "u" if after is not None else "d"
    states = list(_states(record, caller, before, after))
    questions = [ask(record, caller, row, letter, now) for row in states]
    asked = (one for one in questions if caller.kind != "system" or one.row is before)
    if not all(_is_open(one) or _is_registration(one) for one in asked):
        return False
    if (
        before is not None
        and after is not None
        and before.patient not in (None, states[-1].patient)
    ):
        return False
    if before is not None and _is_minimal(questions[0]):
        return False
    found = set.intersection(*(_narrowings(one, before) for one in questions))
    if after is None:
        return bool(found)
    change = Change(before.document if before else None, after, caller.person, is_beside)
    return any(all(CHANGES[word](change) for word in words & CHANGES.keys()) for words in found)


def ask(record: Record, caller: Caller, row: Row, letter: str, now: datetime) -> Question:
    """Return the question whether a caller may do what a letter stands for to a row."""
    sees = partial(may_see, record, caller, letter="r", now=now)
    return Question(record, caller, row, letter, now, lambda other: sees(row=other))


def _is_open(question: Question) -> bool:
    """Steps 2 to 4, whatever the role."""
    if question.row.is_shared:
        return True
    if question.row.patient is None:
        return _is_unfiled_open(question) or any(_opened_by_referrers(question))
    found = opening(question)
    return (
        bool(found)
        and labels_permit(question, found)
        and consents_permit(question, kinds(question))
    )


def _is_unfiled_open(question: Question) -> bool:
    """Unfiled rows are for the organisation they are of, and systems that act for none."""
    acts_for_none = question.caller.kind == "system" and question.caller.organisation is None
    return (has_written(question) or acts_for_none) and labels_permit(question, set())


def _opened_by_referrers(question: Question) -> Iterator[bool]:
    """Yield whether each referrer opens a Binary to read: as if it lay with the referrer's patient.

    What is masked in the referrer opens nothing.
    """
    row = question.row
    if row.type != "Binary" or "securityContext" in row.document or question.letter in "cud":
        return
    for other in question.record.referrers(row.name):
        seen = shown(question.record, question.caller, other, "r", question.now)
        if seen is None or row.name not in mentioned(seen):
            continue
        if other.patient is None:
            yield labels_permit(question, set())
        else:
            yield _is_open(replace(question, row=replace(row, patient=other.patient)))


def _masked(question: Question, document: Resource) -> Resource:
    parts = [left(words, question.row.type) for words in holding(question)]
    every = [one for one in parts if one is not None]
    elements = set().union(*every) if len(every) == len(parts) else None
    if _is_minimal(question):
        minimal = left(frozenset({"minimal"}), "Patient") or set()
        elements = minimal if elements is None else elements & minimal
    return masked(document, elements)


def _is_minimal(question: Question) -> bool:
    """Tell whether a relationship opens no more than who a patient is: read, and not written."""
    return question.row.type == "Patient" and opening(question) <= {"asked", "done"}


def _labels_of(row: Row, number: int) -> Resource:
    """Return the version that says what labels a version has: of a deletion the one before it."""
    while (document := row.versions[number - 1].document) is None:
        number -= 1
    return document


def _with_labels(document: Resource, labelled: Resource) -> Resource:
    """Return a document with the labels and release times of another in the place of its own."""
    meta = {key: value for key, value in document.get("meta", {}).items() if key != "security"}
    meta["extension"] = [one for one in meta.get("extension", []) if one["url"] != RELEASE_TIME] + [
        one for one in labelled.get("meta", {}).get("extension", []) if one["url"] == RELEASE_TIME
    ]
    meta["security"] = labelled.get("meta", {}).get("security", [])
    return {**document, "meta": meta}


def _states(
    record: Record, caller: Caller, before: Row | None, after: Resource | None
) -> Iterator[Row]:
    """Yield the row as it stands and as it becomes. What is made is of who makes it."""
    if before is not None:
        yield before
    if after is not None:
        owner = record.owner(after)
        if before is None:
            yield Row(after, owner, caller.person, caller.organisation)
        else:
            yield replace(before, document=after, patient=owner)


def _is_registration(question: Question) -> bool:
    """A Patient that is made has no relationship with anybody yet."""
    return question.letter == "c" and question.row.type == "Patient"


def _narrowings(question: Question, before: Row | None) -> set[frozenset[str]]:
    """Return the narrowings that hold; `unfinished` is asked of the row as it stood only."""
    if before is None or question.row is before:
        return holding(question)
    return holding(question, besides=frozenset({"unfinished"}))
