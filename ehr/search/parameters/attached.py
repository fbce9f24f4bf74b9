"""Binaries that attachments name, as reference rows: what opens an unfiled Binary to others.

R4 §2.24.0.11 (Attachment.url); ehr/README.md, *Large bodies*. An Attachment's url is no Reference,
so these rows have a path of their own that no search parameter selects. Only Binaries of this
record count: other urls lead to no row.
"""

from typing import Any

from ehr.store.rows import ATTACHED, SECURITY_CONTEXT, IndexRows, ReferenceRow
from fhir_profiles.references import collect, type_and_id

_KINDS = frozenset({"attachment"})


def may_be_in(raw: bytes) -> bool:
    """Tell by its JSON whether a resource may have anything to index here."""
    return b"Binary" in raw or b"\\u" in raw


def index(resource: dict[str, Any], rows: IndexRows, base_urls: tuple[str, ...]) -> None:
    """Add a row for each Binary that the attachments of a resource name, contained ones too."""
    if resource["resourceType"] == "Binary":
        _mark_closed(resource, rows)
        return
    nested = "contained" in resource
    links = {link.value: None for link in collect(resource, kinds=_KINDS, nested=nested)}
    for url in links:
        name = type_and_id(url, base_urls) if url else None
        if name is not None and name[0] == "Binary":
            rows.reference.append(ReferenceRow(ATTACHED, "Binary", name[1], None, name[2], None))


def _mark_closed(resource: dict[str, Any], rows: IndexRows) -> None:
    """Give a securityContext that is no reference a row too: nobody else opens that Binary."""
    if "securityContext" in resource and not rows.reference:
        rows.reference.append(ReferenceRow(SECURITY_CONTEXT, None, None, None, None, None))
