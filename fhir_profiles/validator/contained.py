"""Contained resources and local references: dom-2 to dom-5, ref-1, ids once (FHIR R4 §2.3.0.3)."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from fhir_profiles.issues import Issue

_NARRATIVE_LINK = re.compile(r"""(?:src|href)\s*=\s*["'](#[^"']+)""")

Place = tuple[str, str]


def contained_resource_issues(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    """Yield what a resource must not have because it is contained, and what it must have."""
    if "contained" in resource:
        yield _broken(path, "A contained resource must not contain resources (dom-2).")
    if "id" not in resource:
        yield _broken(path, "A contained resource must have an id: nothing can refer to it.")
    meta = resource.get("meta")
    if not isinstance(meta, dict):
        return
    if "versionId" in meta or "lastUpdated" in meta:
        yield _broken(
            path, "A contained resource must not have meta.versionId or meta.lastUpdated (dom-4)."
        )
    if "security" in meta:
        yield _broken(path, "A contained resource must not have meta.security (dom-5).")


def local_issues(
    resource: dict[str, Any], path: str, references: Sequence[Place], ids: Sequence[Place]
) -> Iterator[Issue]:
    """Yield unknown targets, unreferenced contained resources and ids that stand twice."""
    contained = _contained(resource)
    known = {"#" + one["id"] for one in contained if isinstance(one.get("id"), str)}
    for where, text in references:
        if text != "#" and text not in known:
            yield Issue(
                "invariant",
                "No contained resource has the id that this local reference names (ref-1).",
                where,
            )
    if contained:
        yield from _unreferenced(resource, contained, path)
    yield from _twice(ids)
    yield from _twice(
        [
            (f"{path}.contained[{index}].id", one["id"])
            for index, one in enumerate(resource["contained"] if contained else ())
            if isinstance(one, dict) and isinstance(one.get("id"), str)
        ]
    )


def _contained(resource: dict[str, Any]) -> list[dict[str, Any]]:
    contained = resource.get("contained")
    if not isinstance(contained, list):
        return []
    return [one for one in contained if isinstance(one, dict)]


def _unreferenced(
    resource: dict[str, Any], contained: list[dict[str, Any]], path: str
) -> Iterator[Issue]:
    mentioned = set(_local_texts(resource))
    for index, one in enumerate(resource["contained"]):
        if not isinstance(one, dict) or not isinstance(one.get("id"), str):
            continue
        if "#" + one["id"] not in mentioned and "#" not in _local_texts(one):
            yield _broken(
                f"{path}.contained[{index}]",
                "Nothing in the resource refers to this contained resource, nor does it refer "
                "to its container (dom-3). Refer to it by # and its id, or leave it out.",
            )


def _local_texts(value: Any) -> Iterator[str]:
    # References, uris, canonicals, links in a narrative: any text with # may be the mention.
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, str) and one.startswith("#"):
            yield one
        elif isinstance(one, str) and one.startswith("<div"):
            yield from _NARRATIVE_LINK.findall(one)


def _twice(ids: Sequence[Place]) -> Iterator[Issue]:
    seen: set[str] = set()
    for where, one in ids:
        if one in seen:
            yield Issue("invalid", "This id stands twice in the resource.", where)
        seen.add(one)


def _broken(path: str, sentence: str) -> Issue:
    return Issue("invariant", sentence, path)
