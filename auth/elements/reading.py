"""Reading a JSON resource: values at a path, who is named, what differs. Total for any JSON.

Paths are those of R4's elements, lists on the way opened. What has another shape than R4 gives it
is nobody and nothing here: the validator refuses it, not these rules.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

from fhir_profiles.own_names import AGREEMENT, RELEASE_TIME
from fhir_profiles.references.literal import type_and_id

Resource = dict[str, Any]

# What of `meta` is the server's own.
_OF_SERVER = frozenset({"versionId", "lastUpdated"})


def at(resource: Any, path: str) -> list[Any]:
    """Return all values at a path such as `participant.actor`."""
    values = [resource]
    for step in path.split("."):
        found = [each[step] for each in values if isinstance(each, dict) and step in each]
        values = [one for each in found for one in (each if isinstance(each, list) else [each])]
    return values


def name_of(reference: Any, bases: tuple[str, ...] = ()) -> str | None:
    """Return the `Type/id` that a Reference names on this server, its version left off."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    found = type_and_id(text, bases) if isinstance(text, str) else None
    return f"{found[0]}/{found[1]}" if found else None


def names_at(resource: Any, path: str, bases: tuple[str, ...] = ()) -> set[str]:
    """Return whom the References at a path name."""
    return {name for one in at(resource, path) if (name := name_of(one, bases)) is not None}


def codings(resource: Any, *paths: str) -> set[tuple[str, str]]:
    """Return (system, code) of each Coding and CodeableConcept at some paths; no system is ""."""
    found = set()
    for path in paths:
        for one in at(resource, path):
            for coding in at(one, "coding") or [one]:
                if isinstance(coding, dict) and isinstance(coding.get("code"), str):
                    found.add((str(coding.get("system") or ""), coding["code"]))
    return found


def codes(resource: Any, *paths: str) -> set[str]:
    """Return the codes at some paths, whatever their system."""
    return {code for _, code in codings(resource, *paths)}


def word(value: Any) -> str:
    """Return a text; "" for all else."""
    return value if isinstance(value, str) else ""


def frozen(value: Any) -> Hashable:
    """Return a JSON value as one that can be counted; equal for equal JSON only."""
    if isinstance(value, dict):
        return "{}", frozenset((key, frozen(one)) for key, one in value.items())
    if isinstance(value, list):
        return "[]", tuple(map(frozen, value))
    return type(value).__name__ if isinstance(value, bool) else "", value


def listed(resource: Any, element: str) -> list[Any]:
    """Return the entries of a list, none if it is no list."""
    value = resource.get(element) if isinstance(resource, dict) else None
    return value if isinstance(value, list) else []


Placed = tuple[int, Any]


def apart(was: Sequence[Any], becomes: Sequence[Any]) -> tuple[list[Placed], list[Placed]]:
    """Return what came to a list and what went from it, with places; equal entries are counted."""
    earlier, later = list(map(frozen, was)), list(map(frozen, becomes))
    return _beyond(becomes, later, earlier), _beyond(was, earlier, later)


def _beyond(some: Sequence[Any], keys: list[Hashable], others: list[Hashable]) -> list[Placed]:
    left = Counter(others)
    found = []
    for place, key in enumerate(keys):
        if left[key] > 0:
            left[key] -= 1
        else:
            found.append((place, some[place]))
    return found


def changed(before: Resource, after: Resource) -> list[str]:
    """Return the elements of the top level that differ, in the order of what is sent.

    `_status` counts as `status`; the extension on agreement is `agreement`. Left out: `id`, what
    the server writes into `meta`, and the labels and release time there, which have their own rule.
    """
    found: list[str] = []
    for key in dict.fromkeys((*after, *before)):
        if key == "id" or before.get(key) == after.get(key):
            continue
        if key == "meta":
            names = [key] if _meta(before) != _meta(after) else []
        elif key == "extension":
            names = _extensions(before, after)
        else:
            names = [key.removeprefix("_")]
        found += (name for name in names if name not in found)
    return found


def same(before: Resource, after: Resource) -> bool:
    """Tell whether nothing differs but what the server writes into `meta`."""
    return without_server(before) == without_server(after)


def without_server(resource: Resource) -> Resource:
    """Return a resource without what the server writes into `meta`, left out if nothing is left."""
    meta = resource.get("meta")
    if meta is not None and not isinstance(meta, dict):
        return resource
    rest = {key: value for key, value in resource.items() if key != "meta"}
    if meta is None:
        return rest
    left = {key: value for key, value in meta.items() if key not in _OF_SERVER}
    return {**rest, "meta": left} if left else rest


def releases(resource: Resource) -> list[Any]:
    """Return the extensions in `meta` that say when the patient may see a resource."""
    return [one for one in at(resource, "meta.extension") if _is_of(one, RELEASE_TIME)]


def _meta(resource: Resource) -> Any:
    """Return `meta` without what is the server's, labels and release time; None for nothing."""
    meta = resource.get("meta")
    if not isinstance(meta, dict):
        return meta
    left = {key: meta[key] for key in meta if key not in _OF_SERVER and key != "security"}
    if isinstance(left.get("extension"), list):
        left["extension"] = [one for one in left["extension"] if not _is_of(one, RELEASE_TIME)]
        if not left["extension"]:
            del left["extension"]
    return left or None


def _extensions(before: Resource, after: Resource) -> list[str]:
    was, becomes = at(before, "extension"), at(after, "extension")
    come, gone = apart(was, becomes)
    names = ["agreement" if _is_of(one, AGREEMENT) else "extension" for _, one in (*come, *gone)]
    return sorted(set(names)) or ["extension"]  # none: only their order differs


def _is_of(one: Any, url: str) -> bool:
    return isinstance(one, dict) and one.get("url") == url
