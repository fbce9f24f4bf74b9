"""The narrowings that a row decides, as the vocabulary of the README has them: a test for each."""

from collections.abc import Callable, Mapping

from tests.policy.naive import labels, what, whose
from tests.policy.naive.questions import Question

WORDS: Mapping[str, Callable[[Question], bool]] = {
    "own": whose.is_own,
    "mine": whose.is_mine,
    "self": whose.is_self,
    "party": whose.is_party,
    "grant": whose.is_granted,
    "live": whose.is_live,
    "area": whose.is_in_area,
    "acts": whose.is_act,
    "shown": whose.is_shown,
    "need": what.is_need,
    "care": what.is_care,
    "clinical": what.is_clinical,
    "key": what.is_key,
    "social": what.is_social,
    "vital": what.is_vital,
    "reported": what.is_reported,
    "measured": lambda question: not what.is_reported(question),
    "plan": whose.is_in_plan,
    "about": what.is_about_me,
    "question": what.is_question,
    "review": what.is_review,
    "access": what.is_of_access,
    "aggregate": what.is_aggregate,
    "foreign": what.is_foreign,
    "plain": lambda question: labels.is_plain(question.document),
    "unlocked": what.is_unlocked,
    "released": what.is_released,
    "told": what.is_told,
    "shared": what.is_document_shared,
    "unfinished": what.is_unfinished,
}
