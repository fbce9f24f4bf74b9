"""Whether a change would be taken: it is carried out and taken back (R4 §3.2.0.1, $validate)."""

from collections.abc import Callable

from auth.policy import decide
from auth.principal import Principal
from ehr.errors import FhirError
from ehr.interactions import create, delete, update
from ehr.interactions.applying import rehearse
from ehr.interactions.changes import Change
from ehr.messages import Interaction
from ehr.record import Record
from fhir_profiles.issues import Issue

_CHANGES: dict[str, Callable[[Record, Interaction], Change]] = {
    "create": create.change,
    "update": update.change,
    "delete": delete.change,
}


def rehearsed(
    record: Record, principal: Principal, interaction: Interaction, name: str
) -> list[Issue]:
    """Return the issues that a create, update or delete would meet, the caller's rights first."""
    decision = decide(principal, name, interaction.type)
    if not decision.permit:
        return [Issue("forbidden", decision.reason)]
    try:
        rehearse(record, principal, [_CHANGES[name](record, interaction)])
    except FhirError as error:
        return list(error.issues)
    return []
