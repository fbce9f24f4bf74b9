"""Which rows a caller may see, as a condition that stands in every SELECT of a search.

DESIGN §5 (owner and key) and §6. A system sees every patient's rows and all that is shared. Unfiled
rows (negative keys) belong to one organisation: they are seen by it, and by systems that act for
none.
"""

from typing import NamedTuple

from sqlalchemy import ColumnElement, FromClause, or_, select, true

from auth.principal import Principal
from ehr.store.tables import organisation_key


class Scope(NamedTuple):
    """All that visibility goes by: callers with equal scopes see the same rows.

    Statements are kept by it, so nothing about a caller may come into `visible` but through here.
    """

    kind: str
    organisation: str | None


def scope_of(principal: Principal) -> Scope:
    """Return the scope of a caller."""
    return Scope(principal.kind, principal.organisation)


def visible(row: FromClause, principal: Principal) -> ColumnElement[bool]:
    """Return the condition that this caller may see `row`, an alias with `patient_key`."""
    return visible_within(row, scope_of(principal))


def visible_within(row: FromClause, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that callers of this scope may see `row`."""
    if scope.organisation is None:
        return true() if scope.kind == "system" else row.c.patient_key >= 0
    own = select(organisation_key.c.patient_key).where(
        organisation_key.c.organisation == scope.organisation
    )
    return or_(row.c.patient_key >= 0, row.c.patient_key == own.scalar_subquery())
