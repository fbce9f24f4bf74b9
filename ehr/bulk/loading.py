"""One unit into the record, by the same changes and the same door as REST.

Bundles of type batch and transaction go through `handle()`. Resources with an id are put, others
created; a slice of them is one transaction, and where that is refused it is halved until what is
wrong stands alone. Other Bundles with entries (collection, searchset, history) are their entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from auth.principal import Principal
from ehr import messages
from ehr.bulk.results import Outcome, Reject, broken, name_of, refused
from ehr.bulk.units import Piece, Unit
from ehr.errors import FhirError, Invalid
from ehr.interactions import create, entries, update
from ehr.interactions.changes import Change, apply
from ehr.messages import Document, Interaction, Preferences
from ehr.pipeline import authorise, handle
from ehr.record import Record
from ehr.store.drafts import Method
from fhir_profiles import json_format, xml_format
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.issues import InvalidDocument

LOADER = Principal("command-line", "system", "command line")
_TAKEN_APART = ("collection", "searchset", "history")
ACTED_ON = ("batch", "transaction")
_MINIMAL = Preferences(returning="minimal")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A resource that passed its checks, as the interaction and the change it asks for."""

    piece: Piece
    interaction: Interaction
    change: Change


def load_unit(record: Record, unit: Unit) -> Outcome:
    """Load a unit and tell what became of it; refusals are rejects, never raised."""
    outcome = Outcome()
    ready: list[_Ready] = []
    for piece in unit.pieces:
        try:
            document = document_of(piece, record.settings.depth_limit)
        except FhirError as error:
            outcome.rejects.append(refused(piece, None, error))
            continue
        if bundle_type(document.resource) in ACTED_ON:
            _load_bundle(record, piece, document, outcome)
            continue
        for one in entries_of(document):
            _prepare(record, piece, one, ready, outcome)
    _write(record, ready, outcome)
    return outcome


def document_of(piece: Piece, max_depth: int = json_format.DEEPEST) -> Document:
    """Return a piece as JSON, parsed. Raises Invalid."""
    try:
        if piece.is_xml:
            resource: Any = xml_format.parse(piece.raw, max_depth=max_depth)
            return Document(json_format.serialise(resource), resource)
        raw = piece.raw.removeprefix(b"\xef\xbb\xbf")
        return Document(raw, json_format.parse(raw, max_depth=max_depth))
    except InvalidDocument as error:
        raise Invalid(error.issues[0].diagnostics, issues=error.issues) from error


def bundle_type(resource: Any) -> str | None:
    """Return the type of a Bundle, None for any other resource."""
    if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
        kind = resource.get("type")
        return kind if isinstance(kind, str) else None
    return None


def entries_of(document: Document) -> list[Document]:
    """Return the document, or the resources of a Bundle that only carries some."""
    found = document.resource.get("entry") if isinstance(document.resource, dict) else None
    if bundle_type(document.resource) not in _TAKEN_APART:
        return [document]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return [document]
    raws = entries.raw_resources(document)
    return [
        Document(raw, one["resource"])
        for one, raw in zip(found, raws, strict=True)
        if raw is not None
    ]


def _load_bundle(record: Record, piece: Piece, document: Document, outcome: Outcome) -> None:
    kind = document.resource["type"]
    asked = Interaction(
        name=kind,
        method="POST",
        document=document,
        preferences=_MINIMAL,
        base=record.settings.base_url,
    )
    try:
        answer = handle(record, LOADER, asked)
    except FhirError as error:
        outcome.rejects.append(refused(piece, document.resource, error, within="Bundle"))
        return
    except Exception as error:
        outcome.rejects.append(broken(piece, error))
        return
    _count_answer(piece, document, answer.body or b"{}", outcome)


class _Issue(msgspec.Struct):
    code: str = "processing"
    diagnostics: str = ""
    expression: list[str] = []


class _OperationOutcome(msgspec.Struct):
    issue: list[_Issue] = []


class _Response(msgspec.Struct):
    status: str
    outcome: _OperationOutcome | None = None


class _Entry(msgspec.Struct):
    response: _Response


class _Answer(msgspec.Struct):
    entry: list[_Entry] = []


_ANSWER = msgspec.json.Decoder(_Answer)


def _count_answer(piece: Piece, document: Document, body: bytes, outcome: Outcome) -> None:
    for rejected in read_answer(piece, document.resource, body, outcome):
        outcome.rejects.append(rejected)


def read_answer(piece: Piece, bundle: Any, body: bytes, outcome: Outcome) -> list[Reject]:
    """Count the entries of a response Bundle; return the rejects of those that were refused."""
    rejects = []
    for sent, one in zip(bundle.get("entry") or [], _ANSWER.decode(body).entry, strict=True):
        status = int(one.response.status[:3])
        if status < 400:
            outcome.count(status)
            continue
        issues = one.response.outcome.issue if one.response.outcome else []
        first = issues[0] if issues else _Issue(diagnostics=f"Refused with status {status}.")
        where = first.expression[0] if first.expression else ""
        named = name_of(sent.get("resource"))
        rejects.append(Reject(piece, named, status, first.code, where, first.diagnostics))
    return rejects


def _prepare(
    record: Record, piece: Piece, document: Document, ready: list[_Ready], outcome: Outcome
) -> None:
    """Check one resource and put it in line."""
    try:
        asked = interaction_of(document)
        if asked.type == "Binary":  # its content may go elsewhere than its body
            outcome.count(handle(record, LOADER, asked).status)
            return
        authorise(LOADER, asked)
        make = update.change if asked.id is not None else create.change
        ready.append(_Ready(piece, asked, make(record, asked)))
    except FhirError as error:
        outcome.rejects.append(refused(piece, document.resource, error))


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


def _write(record: Record, ready: Sequence[_Ready], outcome: Outcome) -> None:
    """Write resources together; halve them where they are refused."""
    if not ready:
        return
    now, later = _once_each(ready)
    try:
        written = apply(record, LOADER, [one.change for one in now])
    except FhirError as error:
        if len(now) == 1:
            outcome.rejects.append(refused(now[0].piece, _resource(now[0]), error))
        else:
            middle = len(now) // 2
            _write(record, _afresh(now[:middle]), outcome)
            _write(record, _afresh(now[middle:]), outcome)
    except Exception as error:
        outcome.rejects += [broken(one.piece, error) for one in now]
    else:
        for some in written:
            outcome.count(some[0].status)
    _write(record, later, outcome)


def _once_each(ready: Sequence[_Ready]) -> tuple[list[_Ready], list[_Ready]]:
    """Part the changes that come again to the same resource: they have to wait for the first."""
    seen: set[tuple[str, str]] = set()
    now: list[_Ready] = []
    later: list[_Ready] = []
    for one in ready:
        name = (one.change.type, one.change.id or "")
        if one.change.method is Method.PUT and name in seen:
            later.append(one)
        else:
            seen.add(name)
            now.append(one)
    return now, later


def _afresh(ready: Sequence[_Ready]) -> list[_Ready]:
    """Return the same with documents parsed again: links may have been put into these."""
    again = []
    for one in ready:
        sent = one.change.document
        assert sent is not None
        fresh = Document(sent.raw, json_format.reparse(sent.raw))
        again.append(replace(one, change=messages.replace(one.change, document=fresh)))
    return again


def _resource(ready: _Ready) -> Any:
    document = ready.interaction.document
    return document.resource if document else None
