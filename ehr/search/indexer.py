"""From a resource to its index rows, by one compiled function per type.

Covers all R4 search parameters that have an expression, except `_id` and `_lastUpdated` (columns of
the resource). Composites find the rows of their parts, which name their element. References come
from the resource as a whole.
"""

from collections.abc import Sequence
from typing import Any

from ehr.search.parameters import (
    date,
    full_text,
    near,
    number,
    quantity,
    reference,
    string,
    token,
    uri,
)
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from fhir_profiles.extraction import Extractor, Leaf, Sink, compile_extractor
from fhir_profiles.references import Found, collect
from fhir_profiles.search_parameters import SearchParameter, for_type

_ROW_PARAMETERS = frozenset(("_id", "_lastUpdated"))


class Indexer:
    """Index rows of resources, under one hash key, time zone and list of own base URLs."""

    def __init__(
        self, hasher: Hasher, timezone: str = "UTC", base_urls: Sequence[str] = ()
    ) -> None:
        self._hasher = hasher
        self._timezone = timezone
        self.base_urls = tuple(url.rstrip("/") for url in base_urls)
        self._extractors: dict[str, Extractor] = {}

    def rows(self, resource: dict[str, Any], found: Sequence[Found] | None = None) -> IndexRows:
        """Return the rows of a valid resource; `found` are its References, if known already."""
        rows = IndexRows()
        type = resource["resourceType"]
        extract = self._extractors.get(type) or self._compile(type)
        extract(resource, rows)
        rows.settle()
        references = collect(resource) if found is None else found
        reference.found_rows(references, rows, self._hasher, self.base_urls)
        full_text.index(resource, rows)
        return rows

    def _compile(self, type: str) -> Extractor:
        # Two threads may both compile; the results are alike.
        parameters = [each for each in for_type(type).values() if each.code not in _ROW_PARAMETERS]
        extractor = self._extractors[type] = compile_extractor(parameters, self.sink)
        return extractor

    def sink(self, parameter: SearchParameter, leaf: Leaf) -> Sink | None:
        """Return what emits rows for these elements; None where the parameter can't use them."""
        match parameter.kind:
            case "token":
                return token.sink(leaf, self._hasher)
            case "string":
                return string.sink(leaf)
            case "date":
                return date.sink(leaf, self._timezone)
            case "number":
                return number.sink(leaf)
            case "quantity":
                return quantity.sink(leaf, self._hasher)
            case "uri":
                return uri.sink(leaf, self._hasher)
            case "special":
                return near.sink(leaf)
            case "reference":
                return reference.sink(leaf, self._hasher, self.base_urls)
        return None
