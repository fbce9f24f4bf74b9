"""The clauses of the policy that judge writes, and what takes each away: see `clauses.py`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from tests.policy import role_table
from tests.policy.leaks.clauses import Aims, Clause, product

PATH = "writes judged"
_JUDGEMENT = "ehr.interactions.access.judgement"
_STAFF = (
    "gp", "hospital-consultant", "nurse", "urgent-care", "social-worker", "care-coordinator",
)  # fmt: skip
_ALL = frozenset(range(99))
_CELLS = role_table.cells()
# Words of the role table that narrow writing. By what is written and by what it alters.
OF_ROWS = (
    "about", "access", "care", "clinical", "lead", "mine", "need", "own", "party", "question",
    "reported", "review", "social", "unfinished", "unlocked",
)  # fmt: skip
OF_CHANGES = ("auto", "comment", "contact", "error", "proposed")


def _aims(word: str) -> Aims:
    """Return the cells in which a word narrows a write."""
    return frozenset(
        (role, type, letter)
        for (role, type, letter), some in _CELLS.items()
        if letter in "cud" and any(word in words for words in some)
    )


def _to(*letters: str, types: Collection[str] = ()) -> Aims:
    """Return the cells of some letters, of some types (none: of any)."""
    return frozenset(
        cell for cell in _CELLS if cell[2] in letters and (not types or cell[1] in types)
    )


def _dropped(word: str) -> Callable[..., Any]:
    """Return rules of writing without a word; their order stays."""
    rules = product("auth.rights:rules")

    def left(principal: Any, letter: str) -> Any:
        found = rules(principal, letter)
        if letter not in "cud":
            return found
        return tuple(replace(one, words=one.words - {word}) for one in found)

    return left


def _letter_of_reading(letter: str) -> Callable[..., Any]:
    """Return what roles may, one letter of writing as `r`."""
    of_role = product("auth.rights:_of_role")
    return lambda role, asked, types: of_role(role, "r" if asked == letter else asked, types)


def _after_judging_before(then: Callable[[Any, Any], None]) -> Callable[..., Any]:
    """Return the judgement of rows as they stand, and something done to what it found."""
    before = product(f"{_JUDGEMENT}:Judgement.before")

    def judge(self: Any, connection: Any, changes: Any, plan: Any, rows: Any) -> None:
        before(self, connection, changes, plan, rows)
        then(self, rows)

    return judge


def _every_rule_before(judgement: Any, rows: Any) -> None:
    judgement._before = dict.fromkeys(rows, _ALL)


def _any_rule_twice(judgement: Any, rows: Any) -> None:
    judgement._before = dict.fromkeys(judgement._before, _ALL)


def _all_seen(judgement: Any, rows: Any) -> None:
    judgement.seen = frozenset(rows)


def _every_rule_after() -> Callable[..., Any]:
    permitting = product(f"{_JUDGEMENT}:permitting")

    def permitted(*given: Any, after: bool = False, **named: Any) -> Any:
        return dict.fromkeys(given[4], _ALL) if after else permitting(*given, **named)

    return permitted


def _opened_first() -> Callable[..., Any]:
    """Return the keeping of access ahead of the judgement, so that a write may open to itself."""
    opens = product("ehr.interactions.applying:keep_access")

    def kept(record: Any, connection: Any, written: Any, outcome: Any, judgement: Any) -> None:
        writes, done = ([one for some in each for one in some] for each in (written, outcome))
        opens(record, connection, writes, outcome)
        for is_new in (False, True) if judgement is not None else ():
            judgement.after(connection, writes, done, is_of_new_patient=is_new)

    return kept


def _of_nobody() -> Callable[..., Any]:
    author_of = product("ehr.interactions.applying:author_of")
    return lambda caller, unfiled: replace(author_of(caller, unfiled), organisation=None)


def _parts_written() -> Callable[..., Any]:
    def left(scope: Any, **named: Any) -> Any:
        return replace(scope, **{name: one for name, one in named.items() if name != "whole"})

    return left


WRITING: Mapping[str, Clause] = {
    "writes: letter c": Clause("auth.rights:_of_role", _letter_of_reading("c"), PATH),
    "writes: letter u": Clause("auth.rights:_of_role", _letter_of_reading("u"), PATH),
    "writes: letter d": Clause("auth.rights:_of_role", _letter_of_reading("d"), PATH),
    "writes: what is not seen": Clause(
        f"{_JUDGEMENT}:Judgement.before", _after_judging_before(_all_seen), "writes by id"
    ),
    "writes: judged before": Clause(
        f"{_JUDGEMENT}:Judgement.before", _after_judging_before(_every_rule_before), PATH
    ),
    "writes: may be changed": Clause(f"{_JUDGEMENT}:Judgement.may_change", lambda *_: True, PATH),
    "writes: judged after": Clause(f"{_JUDGEMENT}:permitting", _every_rule_after(), PATH),
    "writes: one rule both times": Clause(
        f"{_JUDGEMENT}:Judgement.before",
        _after_judging_before(_any_rule_twice),
        PATH,
        aims=_to("u", types=("ServiceRequest", "QuestionnaireResponse")),
    ),
    "writes: judged before they open": Clause(
        "ehr.interactions.applying:_keep_access",
        _opened_first(),
        PATH,
        _STAFF,
        _to("c", types=("Encounter", "CareTeam", "Task")),
    ),
    "writes: patients who are not there": Clause(
        f"{_JUDGEMENT}:Judgement.refuse_strangers", lambda *_: None, PATH
    ),
    "writes: of who makes it": Clause("ehr.interactions.applying:author_of", _of_nobody(), PATH),
    "writes: finished by the write": Clause(
        "ehr.access.judging:_BEFORE_ONLY",
        frozenset(),
        PATH,
        ("patient", "carer"),
        _to("u", types=("QuestionnaireResponse",)),
    ),
    "writes: a grant to write": Clause("ehr.access.opening.opened:WRITE", "read", PATH, ("carer",)),
    "writes: what is seen in part": Clause("ehr.access.judging:replace", _parts_written(), PATH),
    "writes: sealed from systems": Clause(
        "ehr.interactions.access.permission:_is_sealed", lambda _: False, PATH, ("system",)
    ),
    **{
        f"writes: {word}": Clause("ehr.access.judging:rules", _dropped(word), PATH, (), _aims(word))
        for word in OF_ROWS
    },
    **{
        f"writes: {word}": Clause(f"{_JUDGEMENT}:rules", _dropped(word), PATH, (), _aims(word))
        for word in OF_CHANGES
    },
}
