"""From a checked document to a draft: links, labels, index rows, packed body."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from ehr.errors import Invalid
from ehr.interactions.changes import Change
from ehr.interactions.demands import demands
from ehr.interactions.links import Links, refuse_lost
from ehr.messages import Document, Resource
from ehr.record import Record
from ehr.store.bodies import strip
from ehr.store.dates import first_millisecond
from ehr.store.drafts import Current, Draft
from ehr.store.labels import labels, release_at
from ehr.store.rows import IndexRows
from fhir_profiles import json_format
from fhir_profiles.care_dates import care_date
from fhir_profiles.identity import stable_id
from fhir_profiles.issues import Issue
from fhir_profiles.owners import owner_reference
from fhir_profiles.references import Found, type_and_id
from fhir_profiles.validator import validate


def checked(record: Record, document: Document, type: str, expression: str = "") -> Document:
    """Return the document if it is a valid resource of the type. Raises Invalid with all issues."""
    resource: Any = document.resource
    if not isinstance(resource, dict):
        raise Invalid(
            f"A {type} resource was expected as body.", code="structure", expression=expression
        )
    found = resource.get("resourceType")
    if found != type:
        raise Invalid(
            f"The body is {found if isinstance(found, str) else 'without resourceType'}, "
            f"the address asks for {type}. Send it to the address of its own type.",
            code="invalid",
            expression=f"{expression or type}.resourceType",
        )
    issues = [
        issue
        for issue in validate(resource, expression=expression or None, tolerant=is_tolerant(record))
        if issue.severity in ("error", "fatal")
    ]
    if issues:
        raise Invalid(issues[0].diagnostics, issues=issues)
    return document


def is_tolerant(record: Record) -> bool:
    """Tell whether faults that HL7's own examples have are let through: mirrors take them all."""
    return record.settings.references == "none"


def draft(
    record: Record, change: Change, links: Links, known: Sequence[Found] | None = None
) -> Draft:
    """Return the draft of a change, with the links of its Bundle put in.

    `known` are the References of its document, where they were collected already.
    """
    assert change.document is not None
    links = links.of_entry(change.type, change.full_url)
    raw, resource, found = links.put_in(change.document.raw, change.document.resource, known)
    if change.expression.startswith("Bundle.") and not is_tolerant(record):
        refuse_lost(found, links, bases(record), change.expression)
    made = make(record, resource, raw, found=found, blob_id=change.blob_id)
    if links and not is_tolerant(record):
        _check_targets(made, change.expression or change.type)
    return made


def make(
    record: Record,
    resource: Resource,
    raw: bytes,
    *,
    found: Sequence[Found] | None = None,
    blob_id: str | None = None,
) -> Draft:
    """Return the draft of a valid resource; `found` are its References, if known already."""
    stored = strip(raw)
    conf, sens = labels(resource)
    cared = care_date(resource)
    return Draft(
        resource["resourceType"],
        resource,
        stored,
        record.database.compressor.compress(stored),
        record.indexer.rows(resource, found, raw),
        conf,
        sens,
        release_at(resource),
        first_millisecond(cared) if cared else None,
        _owner(record, resource),
        blob_id,
        demands(resource, found, bases(record)) if record.settings.references == "all" else (),
    )


def resource_of(row: Current) -> Resource:
    """Return the resource of a row, parsed, without the server's id, version and time."""
    resource: Resource = json_format.reparse(raw_of(row))
    return resource


def raw_of(row: Current) -> bytes:
    """Return the document of a row as it was sent, but for the server's id, version and time."""
    head = f'{{"resourceType":"{row.type}","id":"{row.id}","meta":{{"versionId":"{row.version}"'
    return head.encode() + row.stored


def reindex(record: Record, row: Current) -> IndexRows:
    """Return the index rows that a row has: what its body gave by the definitions of its time."""
    raw = raw_of(row)
    return record.definitions.indexer_of(row.index_version).rows(json_format.reparse(raw), raw=raw)


def bases(record: Record) -> tuple[str, ...]:
    """Return the addresses under which this server is known."""
    return record.indexer.base_urls


def _owner(record: Record, resource: Resource) -> str | None:
    text = owner_reference(resource)
    if text is not None and text.startswith("urn:"):
        return text  # of an entry that its Bundle does not have
    located = type_and_id(text, bases(record)) if text else None
    return f"{located[0]}/{located[1]}" if located else None


def _check_targets(made: Draft, expression: str) -> None:
    """Refuse links that led to a resource of a type which the element does not allow."""
    allowed = _allowed(made.type)
    for row in made.rows.reference:
        path, targets = allowed.get(row.path, ("", frozenset()))
        if targets and row.type is not None and row.id is not None and row.type not in targets:
            where = expression + path[len(made.type) :]
            text = f"{path} refers to a {row.type}. Allowed: {', '.join(sorted(targets))}."
            raise Invalid(text, issues=[Issue("value", text, where)])


@cache
def _allowed(type: str) -> dict[int, tuple[str, frozenset[str]]]:
    """Return the target types of each Reference element of a type, by path id."""
    from fhir_profiles.definitions import type_definition

    found: dict[int, tuple[str, frozenset[str]]] = {}

    def visit(name: str, seen: frozenset[str]) -> None:
        for member in type_definition(name).fields.values():
            if member.type == "Reference":
                found[stable_id(member.path)] = (member.path, member.targets)
            elif member.type.startswith(f"{type}.") and member.type not in seen:
                visit(member.type, seen | {member.type})

    visit(type, frozenset())
    return found
