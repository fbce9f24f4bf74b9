"""patch (R4 §3.1.0.7): JSON Patch, merge patch, XML Patch or FHIRPath Patch, by id or condition."""

from auth.principal import Principal
from ehr.errors import Invalid
from ehr.interactions.access.permission import may_show
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.interactions.provenance.sent import beside
from ehr.interactions.results import of_written
from ehr.messages import Document, Interaction, Result
from ehr.record import Record
from ehr.search import criteria
from ehr.store.drafts import Method


def change(interaction: Interaction, *, full_url: str | None = None, at: str = "") -> Change:
    """Return the change that a patch asks for; a Binary in a Bundle carries a JSON Patch."""
    assert interaction.type is not None
    if interaction.document is None:
        raise Invalid("A patch needs a body.", code="required", expression=at)
    return Change(
        Method.PATCH,
        interaction.type,
        id=interaction.id,
        criteria=(
            criteria.of_params(interaction.type, interaction.params, expression=at)
            if interaction.id is None
            else None
        ),
        document=_unwrapped(interaction.document, at),
        preconditions=interaction.preconditions,
        full_url=full_url,
        expression=at,
    )


def patch(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Apply a patch to the newest version."""
    changes = beside(record, principal, interaction, [change(interaction)])
    written = apply(record, principal, changes, asked=interaction)[0][0]
    return of_written(written, whole=may_show(record, principal, written))


def _unwrapped(document: Document, at: str) -> Document:
    """Return the patch inside a Binary (R4 §3.1.0.11.2), or the document itself."""
    import base64
    import binascii

    resource = document.resource
    if not isinstance(resource, dict) or resource.get("resourceType") != "Binary":
        return document
    try:
        content = base64.b64decode(resource.get("data", ""), validate=False)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Invalid("The data of the Binary is no base64.", expression=f"{at}.data") from error
    return Document(content, None, str(resource.get("contentType", "")).partition(";")[0].strip())
