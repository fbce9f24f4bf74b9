"""Which rows a caller may see, as a condition that stands in every SELECT of a search.

auth/README.md, *From the role to the row*; ehr/README.md, *Owner and key*, *Large bodies*,
*Access*. Systems see every patient's rows and all that is shared, people those that a rule permits
(`auth/rights.py`) and relationship, labels and consent open. Unfiled rows (negative keys) belong to
one organisation: they are seen by it, and by systems that act for none. An unfiled Binary without a
securityContext is also seen by who sees a current resource that refers to it.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    and_,
    false,
    literal,
    not_,
    or_,
    true,
)

from auth.rights import NOBODY, SELF, Rule, rules_of_role
from ehr.access.filters import met_by_row
from ehr.access.opening.opened import (
    opened_to_carer,
    opened_to_patient,
    opened_to_staff,
    opened_to_system,
)
from ehr.access.opening.whose import (
    is_of_kind,
    is_unfiled_here,
    is_unfiled_of_system,
    is_whose,
    may_concern,
)
from ehr.access.rows import Row, at_paths
from ehr.access.scope import EVERYTHING, Scope
from ehr.access.there import there_is
from ehr.access.words import met_by_word
from ehr.store.hashing import Hasher
from ehr.store.rows import SECURITY_CONTEXT
from ehr.store.tables import reference, resource
from fhir_profiles.definitions import resource_types, type_number
from fhir_profiles.owners import SHARED

__all__ = [
    "EVERYTHING",
    "Scope",
    "is_open",
    "is_permitted_by",
    "seen_at",
    "visible_within",
]

_LINK, _REFERRER = reference.alias("opening"), resource.alias("opener")
_CONTEXT, _TARGET = reference.alias("closing"), resource.alias("sorted_by")
_ABOUT, _TOLD_OF = reference.alias("telling"), resource.alias("told_of")
# Of a Binary, what the resource that refers to it tells.
_OF_REFERRER = frozenset({"social", "shared"})
_DOCUMENTS = frozenset({"DocumentReference"})
# A Binary opens no other.
_REFERRING = frozenset(resource_types()) - {"Binary"}
# Of a Binary others tell whether it is seen: a question within this one, too deep for SQLite.
_TARGETS = _REFERRING - {"Provenance"}


def visible_within(
    row: FromClause,
    scope: Scope,
    hasher: Hasher,
    *,
    binaries: bool = False,
    types: Sequence[str] = (),
    version: FromClause | None = None,
    key: ColumnElement[int] | None = None,
) -> ColumnElement[bool]:
    """Return the condition that callers of this scope may see `row`, an alias of `resource`.

    `binaries` tells that a row may be a Binary, which others may open: without it those are hidden.
    `types` are those that rows have (none: any). `version` are the versions of it that are asked
    for: a granular scope judges the current one, and shows no other. `key` is that of all rows,
    where they have one: what is asked of a patient is asked once then.
    """
    one = Row(row, hasher, scope.values, version, frozenset(types), None, key)
    opens = binaries and scope != EVERYTHING and scope.concerns("Binary")
    seen = _is_seen_or_opened(one, scope, opens=opens)
    if version is None or scope.rules is None:
        return seen
    return and_(seen, _is_seen_or_opened(replace(one, labels=version), scope, opens=opens))


def _is_seen_or_opened(row: Row, scope: Scope, *, opens: bool) -> ColumnElement[bool]:
    """Return the condition that a row is seen, or a Binary through others where that `opens`."""
    seen = _is_seen(row, scope)
    if not opens:
        return seen
    return or_(seen, and_(row.is_of("Binary"), _is_opened(row.of(("Binary",)), scope)))


def seen_at(
    key: ColumnElement[int], rid: ColumnElement[int], scope: Scope, hasher: Hasher
) -> ColumnElement[bool]:
    """Return the condition that the resource at a place may be seen, no Provenance and no Binary.

    Whether one of those is seen others tell: a question that would be too deep for SQLite here.
    """
    if scope.rules is None:
        return is_of_kind(key, scope)
    target = Row(_TARGET, hasher, scope.values, None, _TARGETS)
    return there_is(
        _TARGET,
        _TARGET.c.patient_key == key,
        _TARGET.c.rid == rid,
        _TARGET.c.type.not_in([type_number("Binary"), type_number("Provenance")]),
        _is_seen(target, scope),
    )


def is_permitted_by(rule: Rule, row: Row, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that one rule permits a row, and that it is open to the caller."""
    c, types = row.row.c, row.types
    parts = list(is_whose(rule, row))
    if rule.types is not None and not (types and rule.types >= types):
        parts.append(row.is_of(*rule.types))
    of = rule.types if not types else rule.types & types if rule.types else types
    if rule.filter:
        parts.append(met_by_row(row.hasher, rule.filter, of, c.patient_key, c.rid))
        if row.version is not None:
            parts.append(row.version.c.version == c.version)
    if rule.words:
        narrowed = row.of(of or ())
        parts += [_word(one, narrowed, scope) for one in sorted(rule.words)]
    return and_(true(), *parts)


def _is_seen(row: Row, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a row may be seen for what and whose it is."""
    if scope.rules is None:
        return is_of_kind(row.row.c.patient_key, scope)
    here = [[rule for rule in some if may_concern(rule, row.types)] for some in scope.rules]
    # Who the caller is needs no relationship, and opens one resource by itself: no letter of it
    # stands beside letters of another right. All else is opened once, for all letters.
    selves = [[rule for rule in some if rule.whose == SELF] for some in here]
    others = [[rule for rule in some if rule.whose != SELF] for some in here]
    ways = [and_(*(_any_of(some, row, scope) for some in selves))] if all(selves) else []
    if all(others):
        narrowed = row.of(_types(others, row))
        openings = {some[0].writes: some[0] for some in others}
        ways.append(
            and_(
                *(_any_of(some, row, scope) for some in others),
                *(is_open(narrowed, scope, rule) for rule in openings.values()),
            )
        )
    is_judged = scope.kind != "system" and scope.concerns("Provenance")
    if not is_judged or not row.may_be("Provenance"):
        return or_(false(), *ways)
    # As few brackets as can be: SQLite reads only so many within each other.
    return and_(or_(false(), *ways), not_(_tells_of_hidden(row, scope)))


def _is_binary(row: FromClause) -> ColumnElement[bool]:
    return row.c.type == type_number("Binary")


def _any_of(some: Sequence[Rule], row: Row, scope: Scope) -> ColumnElement[bool]:
    return or_(false(), *(is_permitted_by(rule, row, scope) for rule in some))


def _types(letters: Sequence[Sequence[Rule]], row: Row) -> frozenset[str]:
    """Return the types that rows have which these rules permit, all of one letter and another."""
    found = row.types
    for some in letters:
        of = frozenset[str]().union(*(rule.types or frozenset() for rule in some))
        found = found & of if found else of
    return found


def is_open(row: Row, scope: Scope, rule: Rule) -> ColumnElement[bool]:
    """Return the condition that relationship, labels and consent open a row to the caller.

    Of the rule, only whether it `writes` counts, and whether it means who the caller is.
    """
    if rule.whose == SELF:
        return true()
    key = row.key
    ways = []
    if not row.types or not SHARED.isdisjoint(row.types):
        ways.append(key == literal(0, BigInteger))
    if not row.types or not SHARED.issuperset(row.types):
        if scope.kind == "system":
            ways.append(and_(key > 0, opened_to_system(row)))
            ways.append(and_(is_unfiled_of_system(row), opened_to_system(row)))
        elif scope.kind == "patient":
            ways.append(and_(key > 0, opened_to_patient(row)))
        elif scope.kind == "carer":
            ways.append(and_(key > 0, opened_to_carer(row, writes=rule.writes)))
        else:
            ways.append(and_(key > 0, opened_to_staff(row, scope.role, whole=scope.whole)))
            ways.append(is_unfiled_here(row))
    return or_(*ways)


def _tells_of_hidden(row: Row, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a Provenance is about what the caller may not see, or is deleted.

    It says when something was entered and by whom, and has no label of its own. Systems, which
    carry it from record to record, are told of all; of a Binary nobody else is.
    """
    target = Row(_TOLD_OF, row.hasher, scope.values, None, _TARGETS)
    # What scopes leave out of the target is no secret of it.
    reading = replace(scope, rules=(rules_of_role(scope.role, "r"),))
    return there_is(
        (_ABOUT, _TOLD_OF),
        at_paths(_ABOUT, ("Provenance.target",)),
        _ABOUT.c.patient_key == row.row.c.patient_key,
        _ABOUT.c.rid == row.row.c.rid,
        _TOLD_OF.c.patient_key == _ABOUT.c.target_key,
        _TOLD_OF.c.rid == _ABOUT.c.target_rid,
        _TOLD_OF.c.type != type_number("Provenance"),
        or_(_TOLD_OF.c.deleted, _is_binary(_TOLD_OF), not_(_is_seen(target, reading))),
    )


def _reading(scope: Scope) -> Scope:
    """Return the scope of reading a row whole: it need not be searched to open what it names."""
    return replace(scope, rules=(scope.reads,), whole=True) if scope.role else scope


def _word(word: str, row: Row, scope: Scope) -> ColumnElement[bool]:
    if word in _OF_REFERRER and row.may_be("Binary"):
        through = _is_referred_to(row, scope, Rule(NOBODY, None, words=frozenset({word})))
        if row.types == {"Binary"}:
            return through
        return or_(and_(row.is_of("Binary"), through), met_by_word(word, row, whole=scope.whole))
    return met_by_word(word, row, whole=scope.whole)


def _is_opened(row: Row, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a Binary may be seen through what refers to it.

    A securityContext has the last word: where there is one, no other resource opens the Binary.
    Whoever has scopes opens unfiled ones only: another patient's is never opened.
    """
    c = row.row.c
    is_closed = there_is(
        _CONTEXT,
        _CONTEXT.c.patient_key == c.patient_key,
        _CONTEXT.c.rid == c.rid,
        _CONTEXT.c.path == SECURITY_CONTEXT,
    )
    if scope.rules is None:
        return and_(_is_referred_to(row, scope), not_(is_closed))
    letters = [[rule for rule in some if rule.concerns("Binary")] for some in scope.rules]
    ways = (or_(false(), *(_opened_by(rule, row, scope) for rule in some)) for some in letters)
    return and_(c.patient_key < 0, not_(is_closed), *ways)


def _opened_by(rule: Rule, row: Row, scope: Scope) -> ColumnElement[bool]:
    own = [_word(word, row, scope) for word in sorted(rule.words - _OF_REFERRER)]
    return and_(true(), *own, _is_referred_to(row, scope, rule))


def _is_referred_to(row: Row, scope: Scope, rule: Rule | None = None) -> ColumnElement[bool]:
    """Return the condition that the caller sees what refers to a Binary, which then is judged as a
    row of the same patient."""
    words = _OF_REFERRER & rule.words if rule is not None else frozenset()
    types = _DOCUMENTS if words else _REFERRING
    referrer = Row(_REFERRER, row.hasher, scope.values, None, types)
    conditions = [met_by_word(word, referrer) for word in sorted(words)]
    if words:
        conditions.append(referrer.is_of(*_DOCUMENTS))
    if rule is not None:
        taken = replace(row, patient=_REFERRER.c.patient_key, known=None)
        conditions.append(or_(_REFERRER.c.patient_key <= 0, is_open(taken, scope, rule)))
    return there_is(
        (_LINK, _REFERRER),
        _LINK.c.target_key == row.row.c.patient_key,
        _LINK.c.target_rid == row.row.c.rid,
        _REFERRER.c.patient_key == _LINK.c.patient_key,
        _REFERRER.c.rid == _LINK.c.rid,
        _REFERRER.c.deleted.is_(False),
        # What is left out of it opens nothing.
        _is_seen(referrer, _reading(scope)),
        *conditions,
    )
