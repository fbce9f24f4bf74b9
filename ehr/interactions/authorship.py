"""What a write keeps of its caller, beside the author: the facts of its Provenance."""

from dataclasses import replace
from functools import lru_cache

from auth.principal import Principal
from auth.purposes import EMERGENCY
from auth.roles.known import role_of
from ehr.store.drafts import Author, Facts


def author_of(caller: Principal, unfiled: int) -> Author:
    """Return who writes; `unfiled` is the key of what has no patient."""
    facts = facts_of(caller)
    if caller.called is None or not caller.called.emergencies:
        return Author(caller.id, caller.organisation, unfiled, facts)
    opened = frozenset(caller.called.emergencies)
    urgent = replace(facts, purpose=EMERGENCY)
    return Author(caller.id, caller.organisation, unfiled, facts, opened, urgent)


@lru_cache(maxsize=4096)
def facts_of(caller: Principal) -> Facts:
    """Return what is kept; a carer acts for the patient in context, or for the only one."""
    patient = ""
    if caller.kind == "carer":
        only = caller.patients[0] if len(caller.patients) == 1 else None
        one = caller.patient or only
        patient = f"Patient/{one}" if one else ""
    return Facts(
        caller.kind,
        caller.person or "",
        role_of(caller),
        caller.client or "",
        caller.purpose or "",
        patient,
    )
