"""Large data of a Binary: taken out of its JSON before the write, put back on the way out.

In place of the data the stored JSON says, in FHIR's own words, that the value is not given here
(`_data` with data-absent-reason). So a search or a history of Binaries stays small and honest; a
read fills the data in. Who sends the mark back with an update keeps the data that are there.
"""

import base64
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ehr.errors import Unprocessable
from ehr.interactions.changes import Change
from ehr.interactions.drafting import bases, resource_of
from ehr.messages import Document, Resource, replace
from ehr.record import Record
from ehr.store import blobs, read
from ehr.store.blobs import Blob
from ehr.store.drafts import Current, Draft, Method, Written
from ehr.store.locator import locate
from fhir_profiles.owners import owner_reference
from fhir_profiles.references import type_and_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal

_REASON = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "not-permitted",
}
_MARK: Resource = {"extension": [_REASON]}
MARK_END = b',"_data":' + msgspec.json.encode(_MARK) + b"}"

_Members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def stage_large(
    record: Record, principal: "Principal", changes: Sequence[Change]
) -> Sequence[Change]:
    """Return the changes with large data staged, so that their documents are small."""
    if not any(_may_be_large(change) for change in changes):
        return changes
    return [
        _staged(record, principal, change) if _may_be_large(change) else change
        for change in changes
    ]


def link_staged(
    connection: "Connection",
    changes: Sequence[Change],
    outcome: Sequence[Sequence[Written]],
) -> None:
    """Make what was staged for these changes part of the record, under the keys they got."""
    blobs.link(
        connection,
        [
            (change.blob, written.patient_key)
            for change, some in zip(changes, outcome, strict=True)
            if change.blob is not None
            for written in some
        ],
    )


def _may_be_large(change: Change) -> bool:
    return (
        change.type == "Binary"
        and change.method in (Method.POST, Method.PUT)
        and change.document is not None
        and isinstance(change.document.resource, dict)
    )


def _staged(record: Record, principal: "Principal", change: Change) -> Change:
    assert change.document is not None
    resource = change.document.resource
    content = change.content
    if content is None and resource.get("_data") == _MARK and "data" not in resource:
        blob_id = _kept(record, change)
        document = _marked(change.document)
        return replace(change, document=document, blob_id=blob_id, keeps_content=True)
    if content is None:
        content = _large_data(resource)
    if content is None or len(content) <= blobs.INLINE:
        return change
    document = _marked(change.document)
    known = _same_content(record, change, content)
    if known is not None:
        return replace(change, document=document, blob_id=known, content=None)
    now = record.clock()
    blobs.sweep_if_due(record.database, now=now)
    key = _expected_key(record, principal, resource)
    blob = blobs.stage(record.database, key, content, now=now)
    return replace(change, document=document, blob=blob, blob_id=blob.blob_id, content=None)


def _large_data(resource: Resource) -> bytes | None:
    """Return the decoded data if they are large, and as base64 no different from what was sent.

    Base64 that was broken into lines stays in the body, byte for byte.
    """
    data: str | None = resource.get("data")
    if data is None or len(data) // 4 * 3 <= blobs.INLINE or "_data" in resource:
        return None
    content = base64.b64decode(data)
    return content if base64.b64encode(content) == data.encode() else None


def _marked(document: Document) -> Document:
    """Return the document with the mark in place of its data, as its last member."""
    members = _Members.decode(document.raw)
    kept = [
        msgspec.json.encode(name) + b":" + bytes(value)
        for name, value in members.items()
        if name not in ("data", "_data")
    ]
    resource = {k: v for k, v in document.resource.items() if k not in ("data", "_data")}
    raw = b"{" + b",".join(kept) + MARK_END
    return replace(document, raw=raw, resource={**resource, "_data": _MARK})


def _kept(record: Record, change: Change) -> str:
    """Return the content that an update means to keep. Raises Unprocessable where there is none."""
    row = _current(record, change)
    return _large_of(change, row[0].blob_id if row is not None else None)


def _large_of(change: Change, blob_id: str | None) -> str:
    if blob_id is None:
        raise Unprocessable(
            "Binary.data was left out of a list because it is large. Read the Binary by its id, "
            "and send its data with the change.",
            code="required",
            expression=f"{change.expression or 'Binary'}.data",
        )
    return blob_id


def kept(change: Change, prepared: Draft | None, row: Current | None) -> Draft | None:
    """Return the draft with the content that is there now, where its change means to keep it.

    Others may have put other content there since it was looked for. Raises Unprocessable.
    """
    if prepared is None or not change.keeps_content:
        return prepared
    now = row.blob_id if row is not None and not row.deleted else None
    return dataclasses.replace(prepared, blob_id=_large_of(change, now))


def _same_content(record: Record, change: Change, content: bytes) -> str | None:
    """Return the content of the current version if an update repeats it."""
    row = _current(record, change)
    if row is None or row[1] is None or row[1].size != len(content):
        return None
    return row[1].blob_id if row[1].sha256 == blobs.digest(content) else None


def _current(record: Record, change: Change) -> tuple[read.Stored, Blob | None] | None:
    if change.method is not Method.PUT or change.id is None:
        return None
    with record.database.read() as connection:
        row = read.newest(connection, change.type, change.id)
        if row is None or row.deleted:
            return None
        if row.blob_id is None:
            return row, None
        return row, blobs.find(connection, row.patient_key, row.blob_id)


def _expected_key(record: Record, principal: "Principal", resource: Resource) -> int:
    """Return the key that the Binary will most likely lie under; the write has the last word."""
    text = owner_reference(resource)
    name = type_and_id(text, bases(record)) if text else None
    if name is not None:
        with record.database.read() as connection:
            place = locate(connection, [(name[0], name[1])]).get((name[0], name[1]))
        if place is not None:
            return place.patient_key
    return record.database.unfiled_key(principal.organisation)


def blob_of(record: Record, row: read.Stored) -> Blob | None:
    """Return the content that a version keeps in chunks, or None."""
    if row.blob_id is None:
        return None
    with record.database.read() as connection:
        found = blobs.find(connection, row.patient_key, row.blob_id)
    if found is None:
        raise LookupError(f"blob {row.blob_id} is missing")
    return found


def complete(record: Record, row: read.Stored) -> bytes:
    """Return the JSON of a version with its data put back."""
    blob = blob_of(record, row)
    return row.json() if blob is None else with_data(row.json(), encoded(record, blob))


def encoded(record: Record, blob: Blob) -> bytes:
    """Return content as base64."""
    return base64.b64encode(blobs.whole(record.database, blob))


def with_data(json: bytes, data: bytes) -> bytes:
    """Return JSON with base64 data in the place of the mark; other JSON as it is."""
    if not json.endswith(MARK_END):
        return json
    return b'%s,"data":"%s"}' % (json[: -len(MARK_END)], data)


def to_patch(record: Record, row: Current) -> Resource:
    """Return the resource that a patch works on: whole, large data too."""
    resource = resource_of(row)
    if row.blob_id is None:
        return resource
    with record.database.read() as connection:
        blob = blobs.find(connection, row.patient_key, row.blob_id)
    if blob is None:
        raise LookupError(f"blob {row.blob_id} is missing")
    del resource["_data"]
    return {**resource, "data": encoded(record, blob).decode()}


def after_patch(before: Resource, after: Resource, row: Current) -> tuple[Resource, str | None]:
    """Return a patched resource as it is stored, and its content: the old one if it is the same."""
    if row.blob_id is None or "_data" in after or after.get("data") != before["data"]:
        return after, None
    kept = {name: value for name, value in after.items() if name != "data"}
    return {**kept, "_data": _MARK}, row.blob_id
