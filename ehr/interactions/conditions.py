"""The conditions that changes carry: their own criteria and conditional references in bodies."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ehr.interactions.changes import Change
from ehr.messages import Document
from ehr.search import criteria
from ehr.search.criteria import Criteria
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.references import Found, collect
from fhir_profiles.references.relinking import may_be_extended

# The References of a change's document, by the number of the change, where they were looked for.
References = Mapping[int, Sequence[Found]]
# Tells at once that a document has none.
_MAYBE = re.compile(rb'"[A-Z][A-Za-z]+\?')
# The elements that R4's parameter `identifier` selects.
_IDENTIFIERS = ("identifier", "masterIdentifier")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)


def conditions_of(changes: Sequence[Change]) -> tuple[list[Criteria], References]:
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


def lock_texts(changes: Sequence[Change]) -> Iterator[str]:
    """Yield what conditional changes must take turns on: identifiers, or else the whole type.

    Two changes get in each other's way where each matches what the other makes. Criteria on an
    identifier match bodies that carry it, so its lock is taken for both. What other criteria match
    no text of theirs tells (`family=F`, `name=f`), so that they take turns within their type.
    """
    for change in changes:
        if change.criteria is None:
            continue
        yield from _of_criteria(change.criteria)
        resource: Any = change.document.resource if change.document else None
        if isinstance(resource, dict):
            yield from _of_body(change.type, resource)


def _of_criteria(criteria: Criteria) -> Iterator[str]:
    """Yield the locks of the first identifier: all parameters must match, so that one will do."""
    for name, text in criteria.params:
        values = [one.rpartition("|")[2] for one in text.split(",")]
        if name == "identifier" and "\\" not in text and all(values):
            for value in values:
                yield _lock(criteria.type, value)
            return
    yield f"{criteria.type}?"


def _of_body(type: str, resource: dict[str, Any]) -> Iterator[str]:
    for element in _IDENTIFIERS:
        some = resource.get(element)
        for one in some if isinstance(some, list) else [some]:
            if isinstance(one, dict) and isinstance(one.get("value"), str):
                yield _lock(type, one["value"])


def _lock(type: str, value: str) -> str:
    return f"{type}|{value.casefold()}"
