"""What the caller's role permits on a row, by the table written by hand (step 1)."""

from datetime import datetime
from functools import lru_cache

from tests.policy import role_table
from tests.policy.naive.caller import Caller, own_names
from tests.policy.naive.changes import CHANGES
from tests.policy.naive.moments import is_within
from tests.policy.naive.parts import WORDS as PARTS
from tests.policy.naive.questions import Question
from tests.policy.naive.reading import codes, local
from tests.policy.naive.record import Record
from tests.policy.naive.words import WORDS

LEAD = "named-lead"
_CELLS = role_table.cells()


def alternatives(question: Question) -> set[frozenset[str]]:
    """Return the narrowings that the table has for the caller's role, letter and type."""
    role, asked = question.caller.role, (question.row.type, question.letter)
    found = set(_CELLS.get((role, *asked), ()))
    if is_lead(question.record, question.caller, question.row.patient, question.now):
        found |= _CELLS.get((LEAD, *asked), frozenset())
    return found


def holding(question: Question, *, besides: frozenset[str] = frozenset()) -> set[frozenset[str]]:
    """Return those narrowings all of whose words of rows hold, some words left unasked.

    KeyError for a word that nobody knows.
    """
    unasked = besides | PARTS | CHANGES.keys()
    return {
        words
        for words in alternatives(question)
        if all(WORDS[word](question) for word in words - unasked)
    }


def role_permits(question: Question) -> bool:
    """Tell whether the role reads the row at all: what changes need is judged beside a write."""
    return any(words.isdisjoint(CHANGES) for words in holding(question))


@lru_cache(maxsize=32_768)
def is_lead(record: Record, caller: Caller, patient: str | None, now: datetime) -> bool:
    """Tell whether the caller is a named lead in an active team of the patient."""
    if patient is None or caller.kind != "professional":
        return False
    called = own_names(record, caller, now)
    for team in record.of(patient, "CareTeam"):
        if team.document.get("status") != "active":
            continue
        if not is_within(team.document.get("period"), now):
            continue
        for one in team.document.get("participant", []):
            behalf = local(one.get("onBehalfOf")) if "onBehalfOf" in one else caller.organisation
            is_theirs = local(one.get("member")) in called and behalf == caller.organisation
            if is_theirs and LEAD in codes(one, "role") and is_within(one.get("period"), now):
                return True
    return False
