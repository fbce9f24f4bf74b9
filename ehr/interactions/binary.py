"""Binary (R4 §2.33): raw content in and out beside the JSON and XML of every resource.

Raw content gets its `contentType` from Content-Type and its `securityContext` from
X-Security-Context. A read gives the content itself unless a FHIR format was asked for by name.
"""

import base64
import contextlib
import threading
import time
from collections.abc import Callable, Iterable

import msgspec

from ehr.errors import Conflict, Invalid, PreconditionFailed
from ehr.interactions import content
from ehr.interactions.preconditions import refuse_changed
from ehr.messages import Document, Interaction, Preconditions, Resource, Result, replace
from ehr.record import Record
from ehr.store import blobs
from ehr.store import read as rows
from ehr.store.read import Stored
from fhir_profiles import json_format

_TURNS = tuple(threading.Lock() for _ in range(64))
_SERVER_META = ("versionId", "lastUpdated")

# An Interaction with a Binary resource as document, and content too large to stand in it.
Received = tuple[Interaction, bytes | None]


class _Reference(msgspec.Struct):
    reference: str | None = None


class _Binary(msgspec.Struct):
    contentType: str
    securityContext: _Reference | None = None
    data: str = ""


def received(interaction: Interaction, before: Resource | None = None) -> Received:
    """Return what a create or update brings; `before` is the Binary that raw content replaces."""
    if interaction.type != "Binary" or interaction.document is None:
        return interaction, None
    if not _is_raw(interaction):
        _check_security_context(interaction)
        return interaction, None
    return _from_raw(interaction, interaction.document, before)


def _is_raw(interaction: Interaction) -> bool:
    return (
        interaction.type == "Binary"
        and interaction.document is not None
        and interaction.document.resource is None
    )


def _check_security_context(interaction: Interaction) -> None:
    """Refuse a header that a resource contradicts: ignoring it would open what was to be closed."""
    asked = interaction.security_context
    resource = interaction.document.resource if interaction.document else None
    if asked is None or not isinstance(resource, dict):
        return
    context = resource.get("securityContext")
    if not isinstance(context, dict) or context.get("reference") != asked:
        raise Invalid(
            "X-Security-Context goes with raw content. In a resource, say the same in "
            "Binary.securityContext.",
            expression="Binary.securityContext",
        )


def _from_raw(interaction: Interaction, sent: Document, before: Resource | None) -> Received:
    resource: Resource = {"resourceType": "Binary"}
    if interaction.id is not None:
        resource["id"] = interaction.id
    # Raw content can't carry labels, so replacing content must not take them off.
    meta = {k: v for k, v in (before or {}).get("meta", {}).items() if k not in _SERVER_META}
    if meta:
        resource["meta"] = meta
    resource["contentType"] = " ".join(sent.media_type.split())
    if interaction.security_context is not None:
        resource["securityContext"] = {"reference": interaction.security_context}
    elif before is not None and "securityContext" in before:
        resource["securityContext"] = before["securityContext"]
    large = len(sent.raw) > blobs.INLINE
    if sent.raw and not large:
        resource["data"] = base64.b64encode(sent.raw).decode()
    document = Document(json_format.serialise(resource), resource)
    return replace(interaction, document=document), sent.raw if large else None


def put(
    record: Record, interaction: Interaction, write: Callable[[Interaction, bytes | None], Result]
) -> Result:
    """Carry out an update by `write`.

    Raw content keeps the labels of the version it replaces, so it is written on exactly that
    version, again where another came in between.
    """
    if not _is_raw(interaction):
        return write(*received(interaction))
    if interaction.id is None:
        raise Invalid("Raw content goes to Binary/[id], or by POST to Binary.")
    asked = interaction.preconditions
    if asked.if_match or asked.if_none_match:
        return write(*received(interaction, _before(_newest(record, interaction.id))))
    # One at a time, so that only other processes come in between: each has its turn in the end.
    with _TURNS[hash(interaction.id) % len(_TURNS)]:
        return _put_in_turn(record, interaction, interaction.id, write)


def _put_in_turn(
    record: Record,
    interaction: Interaction,
    id: str,
    write: Callable[[Interaction, bytes | None], Result],
) -> Result:
    limit = time.monotonic() + record.settings.request_timeout
    while time.monotonic() < limit:
        row = _newest(record, id)
        if row is not None:
            refuse_changed(interaction.preconditions, "Binary", id, row.last_updated)
        asked, large = received(interaction, _before(row))
        with contextlib.suppress(PreconditionFailed):
            return write(replace(asked, preconditions=_only_on(row)), large)
    raise Conflict("Others keep changing this Binary. Send it again.")


def _before(row: Stored | None) -> Resource | None:
    return json_format.reparse(row.json()) if row is not None else None


def _newest(record: Record, id: str) -> Stored | None:
    with record.database.read() as connection:
        row = rows.newest(connection, "Binary", id)
    return row if row is not None and not row.deleted else None


def _only_on(row: Stored | None) -> Preconditions:
    if row is None:
        return Preconditions(if_none_match=("*",))
    return Preconditions(if_match=(str(row.version),))


def answered(interaction: Interaction, result: Result) -> Result:
    """Return the answer to a create or update: with the data as sent, but large raw content is not
    sent back."""
    if result.body is None or not result.body.endswith(content.MARK_END):
        return result
    if _is_raw(interaction):
        return replace(result, body=None)
    assert interaction.document is not None
    data = interaction.document.resource.get("data")
    matched = interaction.name == "create" and result.status == 200
    if matched or not isinstance(data, str):
        return result
    return replace(result, body=content.with_data(result.body, data.encode()))


def shown(record: Record, interaction: Interaction, row: Stored) -> Result:
    """Return a version: its content, or the resource where a FHIR format was asked for."""
    if interaction.accept:
        body = content.complete(record, row)
        return Result(status=200, body=body, version=row.version, last_modified=row.last_updated)
    resource = msgspec.json.decode(row.json(), type=_Binary)
    blob = content.blob_of(record, row)
    chunks: Iterable[bytes]
    if blob is None:
        data = base64.b64decode(resource.data)
        chunks, size = [data] if data else [], len(data)
    else:
        chunks, size = blobs.chunks(record.database, blob), blob.size
    context = resource.securityContext.reference if resource.securityContext else None
    return Result(
        status=200,
        chunks=chunks,
        content_type=resource.contentType,
        content_length=size,
        version=row.version,
        last_modified=row.last_updated,
        headers=(("X-Security-Context", context),) if context else (),
    )
