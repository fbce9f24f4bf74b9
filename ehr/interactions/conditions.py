"""The conditions that changes carry: their own criteria and conditional references in bodies."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ehr.search import criteria
from ehr.search.criteria import Criteria
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.references import collect
from fhir_profiles.references.relinking import may_be_extended

if TYPE_CHECKING:
    from ehr.interactions.changes import Change

# Tells at once that a document has none.
_MAYBE = re.compile(rb'"[A-Z][A-Za-z]+\?')
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)


def conditions_of(changes: "Sequence[Change]") -> list[Criteria]:
    """Return every distinct condition, in the order of the changes."""
    found: dict[Criteria, None] = {}
    for change in changes:
        if change.criteria is not None:
            found.setdefault(change.criteria)
        for one in _conditional_references(change):
            found.setdefault(one)
    return list(found)


def _conditional_references(change: "Change") -> Iterator[Criteria]:
    document = change.document
    if document is None or not isinstance(document.resource, dict):
        return
    if not _MAYBE.search(document.raw) and b"\\u" not in document.raw:
        return
    extended = may_be_extended(document.raw)
    for reference in collect(document.resource, extended=extended):
        match = _CONDITIONAL.fullmatch(reference.value) if reference.value else None
        if match and is_resource_type(match[1]):
            yield criteria.parse(
                match[1],
                match[2],
                reference=True,
                expression=change.expression or change.type,
            )


def lock_texts(changes: "Sequence[Change]") -> Iterator[str]:
    """Yield what conditional changes must take turns on: their criteria and their identifiers."""
    for change in changes:
        if change.criteria is None:
            continue
        identifier = change.criteria.identifier
        if identifier is not None:
            yield f"{change.type}|{identifier[1]}"
        else:
            yield f"{change.type}?{sorted(change.criteria.params)}"
        resource: Any = change.document.resource if change.document else None
        if isinstance(resource, dict):
            yield from _identifiers(change.type, resource)


def _identifiers(type: str, resource: dict[str, Any]) -> Iterator[str]:
    some = resource.get("identifier")
    for one in some if isinstance(some, list) else [some]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield f"{type}|{one['value']}"
