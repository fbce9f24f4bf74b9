"""The searchset Bundle as bytes, by joining stored JSON: bodies are parsed only to be cut down.

FHIR R4 §3.1.1.3 and §2.36.4 (Bundle, searchset). Entries tell by `search.mode` whether they match,
are included, or speak about the search.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from ehr.messages import Instant
from ehr.outcome import operation_outcome
from ehr.search.request import SearchRequest
from ehr.search.results.found import Found
from ehr.store.bodies import instant
from fhir_profiles import json_format, subset
from fhir_profiles.issues import Issue

Link = tuple[str, str]  # relation, address


def searchset(
    request: SearchRequest,
    *,
    base: str,
    id: str,
    at: Instant,
    links: Sequence[Link],
    total: int | None,
    matches: Iterable[Found] = (),
    included: Iterable[Found] = (),
    issues: Sequence[Issue] = (),
) -> bytes:
    """Return the Bundle."""
    head = {
        "resourceType": "Bundle",
        "id": id,
        "meta": {"lastUpdated": instant(at)},
        "type": "searchset",
        **({"total": total} if total is not None else {}),
        "link": [{"relation": relation, "url": url} for relation, url in links],
    }
    # "The list of elements does not apply to included resources" (§3.1.1.5.9); a summary does.
    along = replace(request, elements=())
    entries = [_entry(base, one, "match", _shape(request, one)) for one in matches]
    entries += [_entry(base, one, "include", _shape(along, one)) for one in included]
    if issues:
        entries.append(_outcome(issues))
    text = msgspec.json.encode(head)
    return b'%s,"entry":[%s]}' % (text[:-1], b",".join(entries)) if entries else text


def _entry(base: str, one: Found, mode: str, resource: bytes) -> bytes:
    url = f"{base.rstrip('/')}/{one.type}/{one.id}"
    return b'{"fullUrl":%s,"resource":%s,"search":{"mode":"%s"}}' % (
        msgspec.json.encode(url),
        resource,
        mode.encode(),
    )


def _shape(request: SearchRequest, one: Found) -> bytes:
    """Return the resource whole, or the part that `_summary` or `_elements` asks for."""
    if request.summary in ("true", "text", "data"):
        return json_format.serialise(subset.summarise(_parse(one), request.summary))
    if request.elements:
        return json_format.serialise(subset.only_elements(_parse(one), request.elements))
    return one.json


def _parse(one: Found) -> dict[str, Any]:
    resource: dict[str, Any] = json_format.reparse(one.json)
    return resource


def _outcome(issues: Sequence[Issue]) -> bytes:
    outcome = msgspec.json.encode(operation_outcome(issues))
    return b'{"resource":%s,"search":{"mode":"outcome"}}' % outcome
