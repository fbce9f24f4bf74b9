"""Reading JSON resources: values at a path, who is referred to, which codes are there."""

from collections.abc import Iterator
from typing import Any

Resource = dict[str, Any]


def at(resource: Resource, path: str) -> list[Any]:
    """Return all values at a path such as `participant.actor`; lists on the way are opened."""
    values: list[Any] = [resource]
    for step in path.split("."):
        found = [value[step] for value in values if isinstance(value, dict) and step in value]
        values = [one for value in found for one in (value if isinstance(value, list) else [value])]
    return values


def named(resource: Resource, *paths: str) -> set[str]:
    """Return whom References at these paths name, as `Type/id`; those of other servers, nobody."""
    found = {local(value) for path in paths for value in at(resource, path)}
    return {name for name in found if name is not None}


def local(reference: Any) -> str | None:
    """Return the `Type/id` that a Reference names, its version left off; None if it names none."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(text, str):
        return None
    parts = text.split("/")
    if len(parts) == 4 and parts[2] == "_history":
        parts = parts[:2]
    return "/".join(parts) if len(parts) == 2 and parts[0][:1].isupper() else None


def pairs(resource: Resource, *paths: str) -> set[tuple[str | None, str]]:
    """Return (system, code) of every Coding and CodeableConcept at these paths."""
    found: set[tuple[str | None, str]] = set()
    for path in paths:
        for value in at(resource, path):
            for coding in value.get("coding", []) if "coding" in value else [value]:
                if "code" in coding:
                    found.add((coding.get("system"), coding["code"]))
    return found


def codes(resource: Resource, *paths: str) -> set[str]:
    """Return the codes at these paths, whatever their system."""
    return {code for _, code in pairs(resource, *paths)}


def extension(element: Resource, url: str) -> list[Any]:
    """Return the values of an element's extensions with this URL."""
    return [
        value
        for one in element.get("extension", [])
        if one["url"] == url
        for key, value in one.items()
        if key.startswith("value")
    ]


def mentioned(value: Any) -> Iterator[str]:
    """Yield each `Type/id` that a document refers to, in a Reference or as an Attachment's url."""
    if isinstance(value, list):
        for one in value:
            yield from mentioned(one)
    elif isinstance(value, dict):
        name = local(value)
        if name is not None:
            yield name
        attached = local({"reference": value.get("url")})
        if attached is not None:
            yield attached
        for one in value.values():
            yield from mentioned(one)
