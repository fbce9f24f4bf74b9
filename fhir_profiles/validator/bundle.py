"""Rules of a Bundle that need neither profile nor terminology (FHIR R4 §2.36, bdl-1 to bdl-12).

Expects a Bundle whose own structure was looked at; survives one that is not sound.
"""

import re
from collections.abc import Iterator
from typing import Any

from fhir_profiles.issues import Issue

_VERSIONED = "/_history/"
_RESTFUL_END = re.compile(r"/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})$")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_REQUESTS = frozenset({"batch", "transaction", "history"})
_RESPONSES = frozenset({"batch-response", "transaction-response", "history"})


def bundle_issues(
    bundle: dict[str, Any], path: str, full_url_severity: str = "error"
) -> list[Issue]:
    """Return what breaks the rules between the elements of a Bundle."""
    given = bundle.get("type")
    kind = given if isinstance(given, str) else ""
    entries = _entries(bundle)
    return [
        *_head_issues(bundle, kind, entries, path),
        *_full_url_issues(entries, kind, path, full_url_severity),
        *(
            issue
            for index, entry in enumerate(entries)
            for issue in _entry_issues(entry, kind, f"{path}.entry[{index}]")
        ),
    ]


def _entries(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        return []
    # A broken entry keeps its place: the numbers of the others must stay true.
    return [entry if isinstance(entry, dict) else {} for entry in entries]


def _head_issues(
    bundle: dict[str, Any], kind: str, entries: list[dict[str, Any]], path: str
) -> Iterator[Issue]:
    if "total" in bundle and kind not in ("searchset", "history"):
        yield _broken(path, "total only when a search or history (bdl-1)")
    if kind == "document":
        identifier = bundle.get("identifier")
        named = isinstance(identifier, dict) and "system" in identifier and "value" in identifier
        if not named:
            yield _broken(
                path, "a document must have an identifier with a system and value (bdl-9)"
            )
        if "timestamp" not in bundle and "_timestamp" not in bundle:
            yield _broken(path, "a document must have a date: timestamp (bdl-10)")
        if _first_type(entries) != "Composition":
            yield _broken(path, "the first entry of a document must be a Composition (bdl-11)")
    if kind == "message" and _first_type(entries) != "MessageHeader":
        yield _broken(path, "the first entry of a message must be a MessageHeader (bdl-12)")


def _first_type(entries: list[dict[str, Any]]) -> Any:
    return _resource(entries[0]).get("resourceType") if entries else None


def _resource(entry: dict[str, Any]) -> dict[str, Any]:
    resource = entry.get("resource")
    return resource if isinstance(resource, dict) else {}


def _entry_issues(entry: dict[str, Any], kind: str, path: str) -> Iterator[Issue]:
    if "search" in entry and kind != "searchset":
        yield _broken(path, "entry.search only when a search (bdl-2)")
    if ("request" in entry) != (kind in _REQUESTS):
        yield _broken(
            path,
            "entry.request is mandatory for batch, transaction and history, "
            "otherwise prohibited (bdl-3)",
        )
    if ("response" in entry) != (kind in _RESPONSES):
        yield _broken(
            path,
            "entry.response is mandatory for batch-response, transaction-response and history, "
            "otherwise prohibited (bdl-4)",
        )
    resource = _resource(entry)
    nameless = resource and "id" not in resource
    if kind == "searchset" and nameless and resource.get("resourceType") != "OperationOutcome":
        yield Issue("invalid", "Search results must have ids.", f"{path}.resource")
    if "resource" not in entry and "request" not in entry and "response" not in entry:
        yield _broken(path, "an entry must have a resource, a request or a response (bdl-5)")


def _full_url_issues(
    entries: list[dict[str, Any]], kind: str, path: str, severity: str
) -> Iterator[Issue]:
    seen: dict[tuple[str, Any], int] = {}
    for index, entry in enumerate(entries):
        full_url = entry.get("fullUrl")
        if not isinstance(full_url, str):
            continue
        fault = _full_url_fault(full_url, _resource(entry), kind)
        if fault:
            yield Issue("invalid", fault, f"{path}.entry[{index}]", severity)
        meta = _resource(entry).get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        key = (full_url, version if isinstance(version, str) else None)
        if kind != "history" and seen.setdefault(key, index) != index:
            yield _broken(
                path,
                f"entries {seen[key]} and {index} have the same fullUrl and version (bdl-7)",
            )


def _full_url_fault(full_url: str, resource: dict[str, Any], kind: str) -> str:
    if _VERSIONED in full_url:
        return "fullUrl must not be version specific (bdl-8)."
    if not _ABSOLUTE.fullmatch(full_url):
        return "fullUrl must be an absolute URL, or urn:uuid: and a UUID."
    if full_url[:4] != "http" or not resource:
        return ""
    match = _RESTFUL_END.search(full_url)
    if match is None or match.group(1) != resource.get("resourceType"):
        return ""
    given = resource.get("id")
    if given is None and kind not in ("batch", "transaction"):
        return "fullUrl looks like a RESTful URL, but the resource has no id."
    if given is not None and given != match.group(2):
        return f"fullUrl must end with the resource's own type and id: /{match.group(1)}/[id]."
    return ""


def _broken(path: str, rule: str) -> Issue:
    return Issue("invariant", rule[0].upper() + rule[1:] + ".", path)
