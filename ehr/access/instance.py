"""Whether a caller may see one row found by its id: the rule of `visible.py`, in Python."""

from contextlib import nullcontext

from sqlalchemy import Connection, literal, select

from auth.principal import Principal
from ehr.access.visible import referred_to, scope_of
from ehr.store.drafts import Current
from ehr.store.engine import Database
from ehr.store.read import Stored


def owns(database: Database, principal: Principal, patient_key: int) -> bool:
    """Tell whether rows under this key may be seen for whose they are. Only those are written."""
    if patient_key >= 0:
        return True
    if principal.organisation is None:
        return principal.kind == "system"
    return patient_key == database.unfiled_key(principal.organisation)


def may_see(
    database: Database,
    principal: Principal,
    row: Stored | Current,
    connection: Connection | None = None,
) -> bool:
    """Tell whether a row may be seen, by a look on this connection or one of its own.

    That takes a statement for a Binary of somebody else, which what refers to it may open.
    """
    if owns(database, principal, row.patient_key):
        return True
    if row.type != "Binary":
        return False
    with nullcontext(connection) if connection is not None else database.read() as asked:
        return is_open(asked, principal, row.patient_key, row.rid)


def is_open(connection: Connection, principal: Principal, patient_key: int, rid: int) -> bool:
    """Tell whether the Binary at this place may be seen through what refers to it."""
    opened = referred_to(literal(patient_key), literal(rid), scope_of(principal))
    return bool(connection.execute(select(opened)).scalar())
