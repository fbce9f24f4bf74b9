"""Whose a row is: what rules say of that, and who sees what is filed under no patient, as SQL."""

from collections.abc import Iterator

from sqlalchemy import BigInteger, ColumnElement, and_, literal, or_, select, true

from auth.rights import CONTEXT, EVERYBODY, NOBODY, OWN, Rule
from ehr.access.names import CONTEXT_KEY, ORGANISATION, OWN_KEYS, SELF_ID
from ehr.access.rows import Row
from ehr.access.scope import Scope
from ehr.store.pairs import among_few
from ehr.store.tables import organisation_key
from fhir_profiles.owners import SHARED


def may_concern(rule: Rule, types: frozenset[str]) -> bool:
    """Tell whether a rule may permit rows of these types (none: of any)."""
    if not types:
        return True
    if rule.whose == NOBODY and SHARED.isdisjoint(types):
        return False
    if rule.whose in (CONTEXT, OWN) and SHARED.issuperset(types):
        return False
    return any(map(rule.concerns, types))


def is_whose(rule: Rule, row: Row) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that a row is of whom a rule means."""
    key = row.row.c.patient_key
    if rule.whose == EVERYBODY:
        return  # whoever is open to the caller
    if rule.whose == CONTEXT:
        yield key == row.value(CONTEXT_KEY)
    elif rule.whose == OWN:
        yield among_few(key, row.value(OWN_KEYS))
    elif rule.whose == NOBODY:
        yield key == literal(0, BigInteger)
    else:
        yield row.row.c.id == row.value(SELF_ID)


def is_of_kind(key: ColumnElement[int], scope: Scope) -> ColumnElement[bool]:
    """Return the condition that what lies under a key may be seen by callers of a kind."""
    if scope.organisation is None:
        return true() if scope.kind == "system" else key >= 0
    own = select(organisation_key.c.patient_key).where(
        organisation_key.c.organisation == scope.organisation
    )
    return or_(key >= 0, key == own.scalar_subquery())


def is_unfiled_here(row: Row) -> ColumnElement[bool]:
    """Return the condition that a row is unfiled, of the caller's organisation."""
    key = row.row.c.patient_key
    own = select(organisation_key.c.patient_key).where(
        organisation_key.c.organisation == row.value(ORGANISATION)
    )
    return and_(key < 0, key == own.scalar_subquery())


def is_unfiled_of_system(row: Row) -> ColumnElement[bool]:
    """Return the condition that a row is unfiled, and this system may see it: where it acts for no
    organisation, what is unfiled of any."""
    acts_for_none = row.value(ORGANISATION) == ""
    return or_(and_(row.row.c.patient_key < 0, acts_for_none), is_unfiled_here(row))
