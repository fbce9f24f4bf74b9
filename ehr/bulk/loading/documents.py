"""What a piece of a file is: a resource, a Bundle to act on, or a Bundle that only carries some.

A Bundle that a record stores is a resource as well. NDJSON has them as exports write them: in a
file named for them (R4 Bulk Data names files by type), or with the version that they had.
"""

import re
from dataclasses import replace
from typing import Any

from ehr.bulk.loading.units import Piece
from ehr.errors import Invalid
from ehr.interactions import entries
from ehr.messages import Document, Interaction
from fhir_profiles import json_format, xml_format
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.issues import InvalidDocument, Issue

ACTED_ON = ("batch", "transaction")
_TAKEN_APART = ("collection", "searchset", "history")
# Exports of more than one file a type number them before or after the type.
_OF_BUNDLES = re.compile(r"(^|[/\\])(\d+[._-])?Bundle([._-]?\d+)?\.(ndjson|jsonl)(\.(gz|zst))?$")


def document_of(piece: Piece, max_depth: int = json_format.DEEPEST) -> Document:
    """Return a piece as JSON, parsed. Raises Invalid."""
    try:
        if piece.is_xml:
            resource: Any = xml_format.parse(piece.raw, max_depth=max_depth)
            return Document(json_format.serialise(resource), resource)
        raw = piece.raw.removeprefix(b"\xef\xbb\xbf")
        return Document(raw, json_format.parse(raw, max_depth=max_depth))
    except InvalidDocument as error:
        issues = [_of_line(one) if piece.line else one for one in error.issues]
        raise Invalid(issues[0].diagnostics, issues=issues) from error


def _of_line(issue: Issue) -> Issue:
    """Return an issue of a document that is one line of its file: that line's number is told."""
    told = issue.diagnostics.replace(" at line 1, column ", " at column ", 1)
    return replace(issue, diagnostics=told)


def bundle_type(piece: Piece, document: Document) -> str | None:
    """Return the type of a Bundle that is more than a resource to store, None for all else."""
    resource = document.resource
    if not isinstance(resource, dict) or resource.get("resourceType") != "Bundle":
        return None
    if piece.line and (_OF_BUNDLES.search(piece.source) or _was_stored(resource)):
        return None
    kind = resource.get("type")
    return kind if isinstance(kind, str) else None


def _was_stored(resource: dict[str, Any]) -> bool:
    """Tell whether a resource says which version of one in a record it is: answers do not."""
    meta = resource.get("meta")
    return "id" in resource and isinstance(meta, dict) and "versionId" in meta


def entries_of(piece: Piece, document: Document) -> list[Document]:
    """Return the document, or the resources of a Bundle that only carries some."""
    if bundle_type(piece, document) not in _TAKEN_APART:
        return [document]
    found = document.resource.get("entry")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return [document]
    raws = entries.raw_resources(document)
    return [
        Document(raw, one["resource"])
        for one, raw in zip(found, raws, strict=True)
        if raw is not None
    ]


def interaction_of(document: Document) -> Interaction:
    """Return the update or create that puts a resource in. Raises Invalid."""
    resource = document.resource
    type = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(type, str) or not is_resource_type(type):
        raise Invalid(
            "This is no FHIR resource: it has no resourceType of R4.",
            code="structure",
            expression="resourceType",
        )
    id = resource.get("id")
    if id is None:
        return Interaction(name="create", type=type, method="POST", document=document)
    # Whatever an id of the wrong kind is, the check of the body names it.
    return Interaction(name="update", type=type, id=id, method="PUT", document=document)
