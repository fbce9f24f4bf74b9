"""Which rows a caller may see, as a condition that stands in every SELECT of a search.

ehr/README.md, *Owner and key*, *Large bodies*. A system sees every patient's rows and all that is
shared. Unfiled rows (negative keys) belong to one organisation: they are seen by it, and by systems
that act for none. An unfiled Binary without a securityContext is also seen by who sees a current
resource that refers to it.
"""

from typing import NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, exists, not_, or_, select, true

from auth.principal import Principal
from ehr.store.rows import SECURITY_CONTEXT
from ehr.store.tables import organisation_key, reference, resource
from fhir_profiles.definitions import type_number


class Scope(NamedTuple):
    """All that visibility goes by: callers with equal scopes see the same rows.

    Statements are kept by it, so nothing about a caller may come into `visible` but through here.
    """

    kind: str
    organisation: str | None


def scope_of(principal: Principal) -> Scope:
    """Return the scope of a caller."""
    return Scope(principal.kind, principal.organisation)


EVERYTHING = Scope("system", None)
_LINK, _REFERRER = reference.alias("opening"), resource.alias("opener")
_CONTEXT = reference.alias("closing")


def visible(
    row: FromClause, principal: Principal, *, binaries: bool = False
) -> ColumnElement[bool]:
    """Return the condition that this caller may see `row`, an alias of `resource` or `version`."""
    return visible_within(row, scope_of(principal), binaries=binaries)


def visible_within(row: FromClause, scope: Scope, *, binaries: bool = False) -> ColumnElement[bool]:
    """Return the condition that callers of this scope may see `row`.

    `binaries` tells that a row may be a Binary, which others may open. Without it those are hidden.
    """
    seen = visible_key(row.c.patient_key, scope)
    if not binaries or scope == EVERYTHING:
        return seen
    is_binary = row.c.type == type_number("Binary")
    return or_(seen, and_(is_binary, referred_to(row.c.patient_key, row.c.rid, scope)))


def visible_key(key: ColumnElement[int], scope: Scope) -> ColumnElement[bool]:
    """Return the condition that what lies under a key may be seen for whose it is."""
    if scope == EVERYTHING:
        return true()
    if scope.organisation is None:
        return key >= 0
    own = select(organisation_key.c.patient_key).where(
        organisation_key.c.organisation == scope.organisation
    )
    return or_(key >= 0, key == own.scalar_subquery())


def referred_to(
    key: ColumnElement[int], rid: ColumnElement[int], scope: Scope
) -> ColumnElement[bool]:
    """Return the condition that the Binary at this place may be seen through what refers to it.

    A securityContext has the last word: where there is one, no other resource opens the Binary.
    """
    is_closed = exists().where(
        _CONTEXT.c.patient_key == key, _CONTEXT.c.rid == rid, _CONTEXT.c.path == SECURITY_CONTEXT
    )
    through = exists().where(
        _LINK.c.target_key == key,
        _LINK.c.target_rid == rid,
        _REFERRER.c.patient_key == _LINK.c.patient_key,
        _REFERRER.c.rid == _LINK.c.rid,
        _REFERRER.c.deleted.is_(False),
        visible_key(_REFERRER.c.patient_key, scope),
    )
    return and_(through, not_(is_closed))
