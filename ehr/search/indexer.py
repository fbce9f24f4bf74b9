"""From a resource to its index rows, by one compiled function per type.

Covers all R4 search parameters that have an expression, except `_id` and `_lastUpdated` (columns of
the resource). Composites find the rows of their parts, which name their element. References come
from the resource as a whole; contained resources have rows of their own.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from ehr.search.parameters import attached, contained, full_text, marks, reference_rows, sinks
from ehr.store.hashing import Hasher
from ehr.store.index_stamps import stamp
from ehr.store.rows import IndexRows
from fhir_profiles.extraction import Extractor, Leaf, Sink, compile_extractor
from fhir_profiles.references import Found, collect
from fhir_profiles.search_parameters import SearchParameter, for_type

_ROW_PARAMETERS = frozenset(("_id", "_lastUpdated"))


class Indexer:
    """Index rows of resources, under one hash key, time zone and list of own base URLs.

    `custom` are the parameters that the record adds to R4's, in a `generation` of its definitions.
    """

    def __init__(
        self,
        hasher: Hasher,
        timezone: str = "UTC",
        base_urls: Sequence[str] = (),
        custom: Iterable[SearchParameter] = (),
        generation: int = 0,
    ) -> None:
        self._hasher = hasher
        self._timezone = timezone
        self.base_urls = tuple(url.rstrip("/") for url in base_urls)
        self._custom = tuple(custom)
        self.stamp = stamp(generation)
        self._extractors: dict[str, Extractor] = {}

    def rows(
        self,
        resource: dict[str, Any],
        found: Sequence[Found] | None = None,
        raw: bytes | None = None,
    ) -> IndexRows:
        """Return the rows of a valid resource; `found` are its References, if known already.

        `raw` is the resource as JSON: it tells at once what need not be looked for.
        """
        rows = self._own_rows(resource, found)
        if raw is None or attached.may_be_in(raw):
            attached.index(resource, rows, self.base_urls)
        marks.index(resource, rows, self._hasher)
        contained.index(resource, rows, self._own_rows, self._hasher)
        return rows

    def _own_rows(
        self, resource: dict[str, Any], found: Sequence[Found] | None = None
    ) -> IndexRows:
        rows = IndexRows(stamp=self.stamp)
        type = resource["resourceType"]
        extract = self._extractors.get(type) or self._compile(type)
        extract(resource, rows)
        rows.settle()
        references = collect(resource) if found is None else found
        reference_rows.found_rows(references, rows, self._hasher, self.base_urls)
        full_text.index(resource, rows)
        return rows

    def _compile(self, type: str) -> Extractor:
        # Two threads may both compile; the results are alike.
        parameters = [each for each in for_type(type).values() if each.code not in _ROW_PARAMETERS]
        parameters += [each for each in self._custom if each.type == type]
        extractor = self._extractors[type] = compile_extractor(parameters, self.sink)
        return extractor

    def sink(self, parameter: SearchParameter, leaf: Leaf) -> Sink | None:
        """Return what emits rows for these elements; None where the parameter can't use them."""
        return sinks.sink(parameter, leaf, self._hasher, self._timezone, self.base_urls)
