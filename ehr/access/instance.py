"""Whether a caller may see one row found by its id: the rule of `visible.py`, in Python."""

from auth.principal import Principal
from ehr.store.engine import Database


def may_see(database: Database, principal: Principal, patient_key: int) -> bool:
    """Tell whether the row under this key may be seen."""
    if patient_key >= 0:
        return True
    if principal.organisation is None:
        return principal.kind == "system"
    return patient_key == database.unfiled_key(principal.organisation)
