"""Of which patients a caller is told events: those of its scopes, and for a carer of a grant.

A grant is judged at each request, so one that has ended tells nothing more.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from auth.principal import Principal
from auth.reach import Reach
from ehr.access.consents.areas import permit
from ehr.access.judging import granted
from ehr.access.relationships.emergencies import untold_emergencies
from ehr.access.scope import keys_of
from ehr.record import Record
from fhir_profiles.own_names import READ

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOG = permit(READ, "access-log")


def patients_of(
    record: Record, principal: Principal, connection: "Connection", reach: Reach
) -> tuple[int, ...] | None:
    """Return the keys of the patients whose events a caller may be told of; None: of all."""
    if reach.patients is None:
        return None
    keys = sorted(keys_of(record.database, reach.patients).values())
    if reach.by_grant:
        keys = [one for one in keys if _LOG in granted(connection, record.database, principal, one)]
    return tuple(keys)


def untold(record: Record, connection: "Connection", keys: Collection[int]) -> tuple[int, ...]:
    """Return those of these patients who are told later of an emergency."""
    found = untold_emergencies(connection, record.database.hasher, keys, record.clock())
    return tuple(sorted(found))
