"""What an answer discloses: every resource in it, however deep, by type and id."""

import json
from collections.abc import Iterator
from typing import Any

from tests.policy.leaks.seeing import Name

Resource = dict[str, Any]
# What the server makes itself, and says of nobody.
_MADE = ("Bundle", "OperationOutcome", "Parameters")


def body_of(response: Any) -> Resource:
    """Return the resource that an answer has, an empty one where it has none."""
    text = response.get_data()
    return json.loads(text) if text else {}


def names(response: Any) -> list[Name]:
    """Return the matches of a search in their order, or whatever resource was read."""
    body = body_of(response)
    if body.get("resourceType") != "Bundle" or body.get("type") != "searchset":
        return [_name(one) for one in disclosed(body)]
    return [_name(one["resource"]) for one in matches(body) if not _is_of_trail(one["resource"])]


def matches(bundle: Resource, mode: str = "match") -> list[Resource]:
    """Return the entries of a searchset that are matches, or were included."""
    return [one for one in bundle.get("entry", ()) if one["search"]["mode"] == mode]


def disclosed(body: Any) -> Iterator[Resource]:
    """Yield each resource in an answer: in entries, in what these hold, and itself.

    Of a document that is kept as a Bundle, only the Bundle: it is seen whole or not at all.
    """
    if not isinstance(body, dict):
        return
    if body.get("resourceType") == "Bundle" and body.get("type") != "document":
        for entry in body.get("entry", ()):
            yield from disclosed(entry.get("resource"))
            yield from disclosed(entry.get("response", {}).get("outcome"))
    elif body.get("resourceType") == "Parameters":
        for one in body.get("parameter", ()):
            yield from disclosed(one.get("resource"))
    elif body.get("resourceType") not in (None, "OperationOutcome"):
        yield body


def all_names(body: Any) -> frozenset[Name]:
    """Return the type and id of every resource in an answer."""
    return frozenset(_name(one) for one in disclosed(body) if not _is_of_trail(one))


def version_names(bundle: Resource) -> list[tuple[str, str, int]]:
    """Return the versions in a history, deletions by what their entry says."""
    return [_version(entry) for entry in bundle.get("entry", ())]


def _is_of_trail(resource: Resource) -> bool:
    """Tell whether a resource is an event of the trail, which is no row of a world."""
    return resource["resourceType"] == "AuditEvent"


def _version(entry: Resource) -> tuple[str, str, int]:
    type, id = entry["fullUrl"].split("/")[-2:]
    resource = entry.get("resource")
    if resource is not None:
        assert (resource["resourceType"], resource["id"]) == (type, id), entry
        return type, id, int(resource["meta"]["versionId"])
    return type, id, int(entry["response"]["etag"].split('"')[1])


def _name(resource: Resource) -> Name:
    return str(resource["resourceType"]), str(resource.get("id", ""))
