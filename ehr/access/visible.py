"""Which rows a caller may see, as a condition that stands in every SELECT of a search.

ehr/README.md, *Owner and key*, *Large bodies*, *Access*. A system sees every patient's rows and all
that is shared. Unfiled rows (negative keys) belong to one organisation: they are seen by it, and by
systems that act for none. An unfiled Binary without a securityContext is also seen by who sees a
current resource that refers to it. Scopes leave of that what one of their rules permits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Text,
    and_,
    bindparam,
    exists,
    false,
    literal,
    not_,
    or_,
    select,
    true,
)

from auth.rights import CONTEXT, EVERYBODY, NOBODY, OWN, SELF, Rule
from ehr.access.filters import met_by_row
from ehr.access.scope import CONTEXT_KEY, EVERYTHING, OWN_KEYS, SELF_ID, All, Scope
from ehr.store.hashing import Hasher
from ehr.store.pairs import listed_numbers
from ehr.store.rows import SECURITY_CONTEXT
from ehr.store.tables import organisation_key, reference, resource
from fhir_profiles.definitions import type_number
from fhir_profiles.owners import SHARED

__all__ = ["EVERYTHING", "Place", "Scope", "is_seen", "referred_to", "visible_within"]

_LINK, _REFERRER = reference.alias("opening"), resource.alias("opener")
_CONTEXT = reference.alias("closing")


@dataclass(frozen=True, slots=True)
class Place:
    """Columns that say where a resource is and what it is; without an id it is nobody's self.

    `is_current` is there where earlier versions may stand in its place.
    """

    type: ColumnElement[int]
    key: ColumnElement[int]
    rid: ColumnElement[int]
    id: ColumnElement[str] | None = None
    is_current: ColumnElement[bool] | None = None


def visible_within(
    row: FromClause,
    scope: Scope,
    hasher: Hasher,
    *,
    binaries: bool = False,
    types: Sequence[str] = (),
    version: FromClause | None = None,
) -> ColumnElement[bool]:
    """Return the condition that callers of this scope may see `row`, an alias of `resource`.

    `binaries` tells that a row may be a Binary, which others may open: without it those are hidden.
    `types` are those that rows have (none: any). `version` are the versions of it that are asked
    for: a granular scope judges the current one, and shows no other.
    """
    is_current = None if version is None else version.c.version == row.c.version
    place = Place(row.c.type, row.c.patient_key, row.c.rid, row.c.id, is_current)
    seen = is_seen(place, scope, hasher, types)
    if not binaries or scope == EVERYTHING or not scope.concerns("Binary"):
        return seen
    is_binary = row.c.type == type_number("Binary")
    opened = referred_to(row.c.patient_key, row.c.rid, scope, hasher)
    return or_(seen, and_(is_binary, opened))


def is_seen(
    place: Place, scope: Scope, hasher: Hasher, types: Sequence[str] = ()
) -> ColumnElement[bool]:
    """Return the condition that what lies at a place may be seen for what and whose it is."""
    if scope.rules is None:
        return _of_kind(place.key, scope)
    return and_(*(_any_rule(some, place, scope, hasher, types) for some in scope.rules))


def _any_rule(
    some: All, place: Place, scope: Scope, hasher: Hasher, types: Sequence[str]
) -> ColumnElement[bool]:
    parts = [
        _permitted(rule, place, scope, hasher, types)
        for rule in some
        if _may_concern(rule, types) and (place.id is not None or rule.whose != SELF)
    ]
    return or_(*parts) if parts else false()


def _may_concern(rule: Rule, types: Sequence[str]) -> bool:
    """Tell whether a rule may permit rows of these types (none: of any)."""
    if not types:
        return True
    if rule.whose == NOBODY and SHARED.isdisjoint(types):
        return False
    if rule.whose in (CONTEXT, OWN) and SHARED.issuperset(types):
        return False
    return any(map(rule.concerns, types))


def _permitted(
    rule: Rule, place: Place, scope: Scope, hasher: Hasher, types: Sequence[str]
) -> ColumnElement[bool]:
    parts = list(_whose(rule, place, scope))
    if rule.types is not None and not (types and rule.types.issuperset(types)):
        numbers = sorted(map(type_number, rule.types))
        parts.append(place.type.in_(numbers) if len(numbers) > 1 else place.type == numbers[0])
    if rule.filter:
        of = rule.types if not types else rule.types & {*types} if rule.types else {*types}
        parts.append(met_by_row(hasher, rule.filter, of, place.key, place.rid))
        if place.is_current is not None:
            parts.append(place.is_current)
    return and_(true(), *parts)


def _whose(rule: Rule, place: Place, scope: Scope) -> Iterator[ColumnElement[bool]]:
    if rule.whose == EVERYBODY:
        yield _of_kind(place.key, scope)
    elif rule.whose == CONTEXT:
        yield place.key == bindparam(CONTEXT_KEY, scope.values[CONTEXT_KEY], BigInteger)
    elif rule.whose == OWN:
        yield listed_numbers(place.key, bindparam(OWN_KEYS, scope.values[OWN_KEYS], Text))
    elif rule.whose == NOBODY:
        yield place.key == literal(0, BigInteger)
    elif place.id is not None:
        yield place.id == bindparam(SELF_ID, scope.values[SELF_ID], Text)


def _of_kind(key: ColumnElement[int], scope: Scope) -> ColumnElement[bool]:
    """Return the condition that what lies under a key may be seen by callers of a kind."""
    if scope.organisation is None:
        return true() if scope.kind == "system" else key >= 0
    own = select(organisation_key.c.patient_key).where(
        organisation_key.c.organisation == scope.organisation
    )
    return or_(key >= 0, key == own.scalar_subquery())


def referred_to(
    key: ColumnElement[int], rid: ColumnElement[int], scope: Scope, hasher: Hasher
) -> ColumnElement[bool]:
    """Return the condition that the Binary at this place may be seen through what refers to it.

    A securityContext has the last word: where there is one, no other resource opens the Binary.
    Patients and their apps open unfiled ones only: another patient's is never opened.
    """
    is_closed = exists().where(
        _CONTEXT.c.patient_key == key, _CONTEXT.c.rid == rid, _CONTEXT.c.path == SECURITY_CONTEXT
    )
    referrer = Place(_REFERRER.c.type, _REFERRER.c.patient_key, _REFERRER.c.rid, _REFERRER.c.id)
    through = exists().where(
        _LINK.c.target_key == key,
        _LINK.c.target_rid == rid,
        _REFERRER.c.patient_key == _LINK.c.patient_key,
        _REFERRER.c.rid == _LINK.c.rid,
        _REFERRER.c.deleted.is_(False),
        is_seen(referrer, scope, hasher),
    )
    opened = and_(through, not_(is_closed))
    return opened if scope.rules is None else and_(key < 0, opened)
