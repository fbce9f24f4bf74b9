"""The links of a searchset: addresses that repeat what was understood, and nothing else.

FHIR R4 §3.1.1.3 (the self link tells what the server took part of) and §3.1.0.1.5 (paging).
"""

from urllib.parse import quote, urlencode

from ehr.search.grammar.controls import CURSOR
from ehr.search.request import SearchRequest


def search_address(base: str, request: SearchRequest, count: int) -> str:
    """Return the address of the first page: the path, what was understood, the page size in use."""
    pairs = [pair for pair in request.understood if pair[0] != "_count"]
    if request.count is not None:
        pairs.append(("_count", str(count)))
    # Readable where a query allows it; what has a meaning there, or in a form, is escaped.
    query = urlencode(pairs, safe=":/,$@!'()*;?~", quote_via=quote)
    return f"{_path(base, request)}?{query}" if query else _path(base, request)


def page_address(first: str, cursor: str) -> str:
    """Return the address of another page of the same walk."""
    return f"{first}{'&' if '?' in first else '?'}{CURSOR}={cursor}"


def _path(base: str, request: SearchRequest) -> str:
    root = base.rstrip("/")
    place = request.compartment
    if place is not None:
        return f"{root}/{place.type}/{place.id}/{place.of or '*'}"
    by_parameter = any(name == "_type" for name, _ in request.understood)
    return f"{root}/{request.types[0]}" if len(request.types) == 1 and not by_parameter else root
