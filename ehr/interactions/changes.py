"""A write as data, alone or in a Bundle: what every step of `applying.py` is given."""

from collections.abc import Callable

from msgspec import Struct

from ehr.messages import Document, Preconditions, replace
from ehr.search.criteria import Criteria
from ehr.store.blobs import Blob
from ehr.store.drafts import Method
from fhir_profiles import json_format


class Change(Struct, frozen=True):
    """One write asked for. `criteria` in place of `id` makes it conditional."""

    method: Method
    type: str
    id: str | None = None
    criteria: Criteria | None = None
    document: Document | None = None
    preconditions: Preconditions = Preconditions()
    full_url: str | None = None
    expression: str = ""
    blob_id: str | None = None
    # Of a Binary: what is staged for this change, or raw content that is still to be staged.
    blob: Blob | None = None
    content: bytes | None = None
    # It has the mark of content that was left out, and keeps what is there when it is written.
    keeps_content: bool = False
    # Of a PATCH that is no patch document: what it makes of the current version.
    edit: Callable[[Document], Document] | None = None
    # A Provenance that came with the others, in X-Provenance.
    is_beside: bool = False


def afresh(change: Change) -> Change:
    """Return a change whose document is parsed again, as it was sent: preparing edits it."""
    document = change.document
    if document is None or document.resource is None:
        return change
    return replace(change, document=replace(document, resource=json_format.reparse(document.raw)))
