"""The conditions that changes carry: their own criteria and conditional references in bodies."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ehr.messages import Document
from ehr.search import criteria
from ehr.search.criteria import Criteria
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.references import Found, collect
from fhir_profiles.references.relinking import may_be_extended

if TYPE_CHECKING:
    from ehr.interactions.changes import Change

# The References of a change's document, by the number of the change, where they were looked for.
References = Mapping[int, Sequence[Found]]
# Tells at once that a document has none.
_MAYBE = re.compile(rb'"[A-Z][A-Za-z]+\?')
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)


def conditions_of(changes: "Sequence[Change]") -> tuple[list[Criteria], References]:
    """Return every distinct condition, in the order of the changes, and what was collected."""
    conditions: dict[Criteria, None] = {}
    references: dict[int, Sequence[Found]] = {}
    known: set[str] = set()
    for number, change in enumerate(changes):
        if change.criteria is not None:
            conditions.setdefault(change.criteria)
        if not _may_be_conditional(change.document):
            continue
        assert change.document is not None
        extended = may_be_extended(change.document.raw)
        references[number] = found = collect(change.document.resource, extended=extended)
        for text in {one.value: None for one in found if one.value and "?" in one.value}:
            if text is not None and text not in known:  # the same few stand in many documents
                known.add(text)
                for one in _condition(text, change.expression or change.type):
                    conditions.setdefault(one)
    return list(conditions), references


def _may_be_conditional(document: Document | None) -> bool:
    if document is None or not isinstance(document.resource, dict):
        return False
    raw = document.raw
    if b"?" in raw and _MAYBE.search(raw):
        return True
    return b"\\" in raw and b"\\u" in raw


def _condition(text: str, expression: str) -> Iterator[Criteria]:
    match = _CONDITIONAL.fullmatch(text)
    if match and is_resource_type(match[1]):
        yield criteria.parse(match[1], match[2], reference=True, expression=expression)


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
