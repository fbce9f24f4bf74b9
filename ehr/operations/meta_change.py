"""$meta-add and $meta-delete (R4 §3.2.0.3, §3.2.0.4): change the labels of one resource.

R4 leaves open whether that makes a new version. Here it does, whenever something changes: labels
decide who may see a resource, and nothing is changed in silence. All other bytes stay as they are.
"""

from collections.abc import Callable, Hashable
from typing import Any

import msgspec

from auth.principal import Principal
from ehr.errors import Invalid
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.interactions.read import present
from ehr.messages import Document, Interaction, Resource, Result, replace
from ehr.operations import given
from ehr.record import Record
from ehr.store.bodies import instant
from ehr.store.drafts import Method
from fhir_profiles import json_format

# R4: these are sets; nothing else of a Meta is added or deleted.
_SETS = ("profile", "security", "tag")
_Members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_Combine = Callable[[list[Any], list[Any]], list[Any]]


def meta_add(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Add labels and profiles; those that are there already stay as they are."""

    def union(before: list[Any], sent: list[Any]) -> list[Any]:
        known = {_identity(one) for one in before}
        fresh = {_identity(one): one for one in reversed(sent) if _identity(one) not in known}
        return before + list(reversed(fresh.values()))

    return _change(record, principal, interaction, union)


def meta_delete(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Delete labels and profiles; it is no error if they are not there."""

    def difference(before: list[Any], sent: list[Any]) -> list[Any]:
        gone = {_identity(one) for one in sent}
        return [one for one in before if _identity(one) not in gone]

    return _change(record, principal, interaction, difference)


def _identity(label: Any) -> Hashable:
    """A label is its system and code, whatever its version and display; a profile its URL."""
    return (label.get("system"), label.get("code")) if isinstance(label, dict) else label


def _change(
    record: Record, principal: Principal, interaction: Interaction, combine: _Combine
) -> Result:
    sent = _sent(interaction)
    row = present(record, principal, interaction)

    def edit(document: Document) -> Document:
        before = document.resource["meta"]
        changed = {name: combine(before.get(name, []), sent.get(name, [])) for name in _SETS}
        if all(changed[name] == before.get(name, []) for name in _SETS):
            return document
        after = {name: value for name, value in {**before, **changed}.items() if value != []}
        return _with_meta(document, after)

    change = Change(
        Method.PATCH,
        row.type,
        id=row.id,
        preconditions=interaction.preconditions,
        expression=row.type,
        edit=edit,
    )
    written = apply(record, principal, [change], asked=interaction)[0][0]
    meta = json_format.reparse(b'{"meta":{"":""' + written.stored)["meta"]
    meta = {
        "versionId": str(written.version),
        "lastUpdated": instant(written.last_updated),
        **{name: value for name, value in meta.items() if name},
    }
    return Result(
        status=200,
        body=given.returned(meta),
        version=written.version,
        last_modified=written.last_updated,
    )


def _with_meta(document: Document, meta: Resource) -> Document:
    """Return the document with another meta, every other member byte for byte as it was."""
    members = _Members.decode(document.raw)
    members["meta"] = msgspec.Raw(json_format.serialise(meta))
    parts = [msgspec.json.encode(name) + b":" + bytes(raw) for name, raw in members.items()]
    resource = {**document.resource, "meta": meta}
    return replace(document, raw=b"{" + b",".join(parts) + b"}", resource=resource)


def _sent(interaction: Interaction) -> Resource:
    """Return the Meta of the body. Raises Invalid for another shape; its labels are judged with the
    resource that they end up in."""
    found = [one for one in given.parameters(interaction) if one["name"] == "meta"]
    meta = found[0].get("valueMeta") if len(found) == 1 else None
    if not isinstance(meta, dict):
        raise Invalid(
            f"${interaction.operation} takes Parameters with one `meta` and its valueMeta.",
            code="required",
            expression="Parameters.parameter.where(name = 'meta')",
        )
    for name in _SETS:
        kind = str if name == "profile" else dict
        values = meta.get(name, [])
        if not isinstance(values, list) or not all(isinstance(one, kind) for one in values):
            raise Invalid(
                f"Meta.{name} has the wrong shape.",
                code="structure",
                expression=f"Parameters.parameter.where(name = 'meta').value.{name}",
            )
    return meta
