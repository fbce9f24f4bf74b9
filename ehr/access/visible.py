"""Which rows a caller may see, as a condition that stands in every SELECT of a search.

DESIGN §5 (owner and key) and §6. A system sees every patient's rows and all that is shared. Unfiled
rows (negative keys) belong to one organisation: they are seen by it, and by systems that act for
none.
"""

from sqlalchemy import ColumnElement, FromClause, or_, select, true

from auth.principal import Principal
from ehr.store.tables import organisation_key


def visible(row: FromClause, principal: Principal) -> ColumnElement[bool]:
    """Return the condition that this caller may see `row`, an alias with `patient_key`."""
    if principal.organisation is None:
        return true() if principal.kind == "system" else row.c.patient_key >= 0
    own = select(organisation_key.c.patient_key).where(
        organisation_key.c.organisation == principal.organisation
    )
    return or_(row.c.patient_key >= 0, row.c.patient_key == own.scalar_subquery())
