"""What is audited of a request that was refused: what it named, though the caller is not told.

Whether a resource that was asked for is there is looked up after the refusal, by the same statement
for what is hidden and for what there is not, so that it takes as long.
"""

from collections.abc import Sequence

from auth.principal import Principal
from ehr.access.scope import EVERYTHING, scope_of
from ehr.audit.event import AuditRow
from ehr.audit.telling.requests import of_refusal
from ehr.errors import FhirError, Invalid, NotFound
from ehr.messages import Interaction
from ehr.record import Record
from ehr.store.locator import Name, locate
from fhir_profiles.resource_types import is_resource_type


def of(
    record: Record, principal: Principal, asked: Interaction, error: Exception
) -> list[AuditRow]:
    """Return the events of an interaction that was refused or failed."""
    return of_all(record, principal, (asked,), error)


def tell(record: Record, principal: Principal, asked: Interaction, error: Exception) -> None:
    """Record an interaction that was refused before it began. Raises AuditFailed."""
    told = error if isinstance(error, FhirError) else Invalid("The document can't be read.")
    record.trail.record(of(record, principal, asked, told))


def of_all(
    record: Record, principal: Principal, asked: Sequence[Interaction], error: Exception
) -> list[AuditRow]:
    """Return the events of interactions of which none was done."""
    names = [_name(one) for one in asked]
    places = _places(record, principal, {name for name in names if name is not None}, error)
    now = record.clock()
    return [
        of_refusal(principal, now, one, error, places.get(name) if name else None)
        for one, name in zip(asked, names, strict=True)
    ]


def _name(asked: Interaction) -> Name | None:
    type = asked.compartment or asked.type
    return (type, asked.id) if type and asked.id and is_resource_type(type) else None


def _places(
    record: Record, principal: Principal, names: set[Name], error: Exception
) -> dict[Name, tuple[int, int]]:
    """Return where these are that are there."""
    if not names or not isinstance(error, FhirError):
        return {}  # of a fault of ours nobody knows whether it would come again
    if isinstance(error, NotFound) and scope_of(record.database, principal, "r") == EVERYTHING:
        return {}  # from this caller nothing is hidden
    with record.database.read() as connection:
        found = locate(connection, names)
    return {name: (one.patient_key, one.rid) for name, one in found.items() if not one.reserved}
