"""update (R4 §3.1.0.4): PUT of the whole resource, by id or by a condition; creates if allowed."""

from auth.principal import Principal
from ehr.errors import Invalid
from ehr.interactions import binary
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.interactions.drafting import checked
from ehr.interactions.provenance.sent import beside
from ehr.interactions.results import of_written
from ehr.messages import Document, Interaction, Result
from ehr.record import Record
from ehr.search import criteria
from ehr.store.drafts import Method


def change(
    record: Record,
    interaction: Interaction,
    *,
    full_url: str | None = None,
    at: str = "",
    content: bytes | None = None,
) -> Change:
    """Return the change that an update asks for. Raises Invalid for a body that breaks R4."""
    type = interaction.type
    assert type is not None
    document = checked(record, interaction.document or Document(b""), type, at)
    condition = None
    if interaction.id is None:
        condition = criteria.of_params(type, interaction.params, expression=at)
    elif document.resource.get("id") != interaction.id:
        raise Invalid(
            f"The body must carry the id of its address, `{interaction.id}`.",
            expression=f"{at or type}.id",
        )
    return Change(
        Method.PUT,
        type,
        id=interaction.id,
        criteria=condition,
        document=document,
        preconditions=interaction.preconditions,
        full_url=full_url,
        expression=at,
        content=content,
    )


def update(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Put a resource in the place of its newest version, or create it there."""

    def write(asked: Interaction, content: bytes | None) -> Result:
        made = change(record, asked, content=content)
        changes = beside(record, principal, asked, [made])
        written = apply(record, principal, changes, asked=interaction)[0][0]
        return binary.answered(interaction, of_written(written))

    return binary.put(record, interaction, write)
