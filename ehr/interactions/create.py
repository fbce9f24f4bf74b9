"""create (R4 §3.1.0.8): POST of a new resource; with If-None-Exist only if none matches."""

import re

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

# A question mark before any parameter has a value.
_ADDRESS = re.compile(r"[^=&?]+\?.")


def change(
    record: Record,
    interaction: Interaction,
    *,
    full_url: str | None = None,
    at: str = "",
    content: bytes | None = None,
) -> Change:
    """Return the change that a create asks for. Raises Invalid for a body that breaks R4."""
    assert interaction.type is not None
    document = checked(record, interaction.document or Document(b""), interaction.type, at)
    condition = interaction.preconditions.if_none_exist
    if condition is not None and _ADDRESS.match(condition):
        raise Invalid(
            "If-None-Exist takes only what follows `?` in a search: "
            f"`{condition.partition('?')[2][:80]}`. Leave out what is in front.",
            expression=at or "If-None-Exist",
        )
    return Change(
        Method.POST,
        interaction.type,
        criteria=(
            criteria.parse(interaction.type, condition.lstrip("?"), expression=at)
            if condition is not None
            else None
        ),
        document=document,
        full_url=full_url,
        expression=at,
        content=content,
    )


def create(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Create a resource under a fresh id."""
    asked, content = binary.received(interaction)
    made = change(record, asked, content=content)
    changes = beside(record, principal, interaction, [made])
    written = apply(record, principal, changes, asked=interaction)[0][0]
    return binary.answered(interaction, of_written(written))
