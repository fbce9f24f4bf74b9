"""Short conditions that most rows meet which staff may see whole, as SQL.

Whatever meets them meets `visible_within` (`../visible.py`), so only what does not is asked for by
that.
"""

from sqlalchemy import ColumnElement, FromClause, and_, not_

from auth.rights import EVERYBODY, Rule
from ehr.access.opening.opened import is_labelled, is_simply_open
from ehr.access.rows import Row
from ehr.access.scope import Scope
from ehr.store.hashing import Hasher
from fhir_profiles.owners import SHARED

_STAFF = ("professional", "operator")
# What other rows decide on, or no patient has.
_BY_OTHERS = SHARED | {"Binary", "Provenance"}


def simply_visible(
    row: FromClause, scope: Scope, hasher: Hasher, type: str
) -> ColumnElement[bool] | None:
    """Return a short condition that most rows of a type meet which staff may see whole.

    Whatever meets it meets `visible_within`, so only what does not is asked for by that. None where
    no rule of theirs permits the type as it is.
    """
    one = Row(row, hasher, scope.values, None, frozenset({type}))
    if not _is_simply_permitted(scope, type):
        return None
    return and_(one.is_of(type), row.c.patient_key > 0, is_simply_open(one), not_(is_labelled(row)))


def simply_visible_record(
    row: FromClause, scope: Scope, hasher: Hasher, type: str, key: ColumnElement[int]
) -> ColumnElement[bool] | None:
    """Return the same of all rows of a type under one key, but for `is_labelled`: it is asked once.

    Labels are left to whoever asks: where one row has some, the others do not tell all.
    """
    one = Row(row, hasher, scope.values, None, frozenset({type}), None, key)
    if not _is_simply_permitted(scope, type):
        return None
    return and_(key > 0, is_simply_open(one))


def _is_simply_permitted(scope: Scope, type: str) -> bool:
    """Tell whether the caller is staff, and may see any row of a type that is open to them."""
    if not scope.role or scope.kind not in _STAFF or type in _BY_OTHERS:
        return False
    return all(any(_is_simple(rule, type) for rule in some) for some in scope.rules or ((),))


def _is_simple(rule: Rule, type: str) -> bool:
    return rule.whose == EVERYBODY and not rule.filter and not rule.words and rule.concerns(type)
