"""The words by which the role table narrows a right, as SQL: what `auth/roles/narrowings.py` says.

What a resource says of itself is known when it is written (`resource.marks`); what others say of it
is looked up. Words on what a write changes are judged where it is written, words on parts where an
answer is made: here they hold for every row.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, and_, false, true

from auth.rights import LEAD
from auth.roles.marks import is_marked
from auth.roles.narrowings import BY_WORD, CHANGE, PARTS
from ehr.access.names import SELF_ID
from ehr.access.relationships.held import is_held
from ehr.access.relationships.kinds import LEADS, Ceiling, Kind
from ehr.access.rows import Row
from ehr.access.there import there_is
from ehr.access.words.areas import is_of_area
from ehr.access.words.labels import is_released, is_told
from ehr.access.words.parties import is_live, is_mine, is_party
from ehr.access.words.plans import is_planned
from ehr.store.tables import relationship

__all__ = ["met_by_word"]

_LEADING = relationship.alias("leading")


def met_by_word(word: str, row: Row, *, whole: bool = False) -> ColumnElement[bool]:
    """Return the condition that a row meets a word; false for what can't be told of a row.

    `whole`: the word must not leave anything out.
    """
    test = _TESTS.get(word)
    if test is not None:
        return test(row)
    if is_marked(word):
        return row.has_mark(word)
    kind = BY_WORD[word].kind
    return true() if kind == CHANGE or (kind == PARTS and not whole) else false()


def _is_self(row: Row) -> ColumnElement[bool]:
    return and_(row.is_of("RelatedPerson"), row.row.c.id == row.value(SELF_ID))


def _is_led(row: Row) -> ColumnElement[bool]:
    """Return the condition that the caller leads the team of the patient whose row it is."""
    return there_is(
        _LEADING,
        _LEADING.c.patient_key == row.key,
        _LEADING.c.permits == LEADS,
        is_held(_LEADING, Ceiling.ROLE, row.caller, kinds=(Kind.TEAM,)),
    )


_TESTS: Mapping[str, Callable[[Row], ColumnElement[bool]]] = {
    LEAD: _is_led,
    "own": lambda row: row.is_own(),
    "mine": is_mine,
    "self": _is_self,
    "party": is_party,
    # What a grant permits opens a carer's rows in the first place.
    "grant": lambda row: true(),
    "live": is_live,
    "area": is_of_area,
    "plan": is_planned,
    "key": lambda row: and_(row.has_mark("key"), row.is_plain()),
    "plain": lambda row: row.is_plain(),
    "unlocked": lambda row: ~row.is_locked(),
    "released": is_released,
    "told": is_told,
    "shared": lambda row: and_(row.has_mark("shared"), row.is_plain()),
}
