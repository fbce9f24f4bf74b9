"""delete (R4 §3.1.0.8): a tombstone is put on top; earlier versions stay readable."""

from auth.principal import Principal
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.interactions.provenance.sent import beside
from ehr.interactions.results import of_written
from ehr.messages import Interaction, Result
from ehr.record import Record
from ehr.search import criteria
from ehr.store.drafts import Method


def change(
    record: Record, interaction: Interaction, *, full_url: str | None = None, at: str = ""
) -> Change:
    """Return the change that a delete asks for."""
    type = interaction.type
    assert type is not None
    several = record.settings.conditional_delete == "multiple"
    # One more than may go, so that too many are seen.
    limit = record.settings.conditional_delete_limit + 1 if several else 2
    return Change(
        Method.DELETE,
        type,
        id=interaction.id,
        criteria=(
            criteria.of_params(type, interaction.params, expression=at, limit=limit)
            if interaction.id is None
            else None
        ),
        preconditions=interaction.preconditions,
        full_url=full_url,
        expression=at,
    )


def delete(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Delete what is there; what is not there is deleted already (204 either way)."""
    changes = beside(record, principal, interaction, [change(record, interaction)])
    written = apply(record, principal, changes, asked=interaction)[0]
    return of_written(written[-1]) if written else Result(status=204)
