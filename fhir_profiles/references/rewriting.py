"""Replace link texts in the bytes of a JSON document and leave every other byte as it was.

FHIR R4 §3.1.0.11.1: a transaction's server changes Reference.reference, uri, url, oid, uuid and
canonical elements and the links of narratives. Only elements of these types change: an
`Identifier.value` with the same text stays.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from fhir_profiles.references.collection import Found, collect_among
from fhir_profiles.references.narrative_links import Edit, edited, edited_token, link_edits

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
# Nothing that JSON must escape, and no first character that may follow a closing quote.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/._|?=&%#~+@$,;!*()'-]*")

Change = tuple[Found, "str | list[Edit]"]


def rewrite(
    raw: bytes, resource: dict[str, Any], replacements: Mapping[str, str]
) -> tuple[bytes, dict[str, Any]]:
    """Return `raw`, and `resource` parsed from it, with each old text in a link made new.

    A conditional text (`Patient?identifier=…`) changes in References only: elsewhere it's a query.
    """
    changes = _changes(resource, replacements)
    if not changes:
        return raw, resource
    changed = _replaced_at_once(raw, changes)
    if changed is None:
        changed = _replaced_by_token(raw, resource, changes)
    return changed, _applied(resource, changes)


def _changes(resource: dict[str, Any], replacements: Mapping[str, str]) -> list[Change]:
    changes: list[Change] = []
    for found in collect_among(resource, replacements):
        text = found.value
        if text is None:
            continue
        if found.kind == "narrative":
            edits = link_edits(text, replacements)
            if edits:
                changes.append((found, edits))
        elif found.kind == "reference" or "?" not in text:
            changes.append((found, replacements[text]))
    return changes


def _replaced_at_once(raw: bytes, changes: list[Change]) -> bytes | None:
    """Replace by plain search where that is proved to hit the links and nothing else."""
    # Without these escapes each text has one spelling, so counting its tokens is exact.
    if b"\\u" in raw or b"\\/" in raw:
        return None
    counts: dict[str, int] = {}
    new_texts: dict[str, str] = {}
    for found, new in changes:
        old = found.value
        if old is None or not isinstance(new, str):
            return None
        counts[old] = counts.get(old, 0) + 1
        new_texts[old] = new
    for old, count in counts.items():
        opening = b'"' + old.encode()
        if not _PLAIN.fullmatch(old) or new_texts[old] in counts:
            return None
        if raw.count(opening + b'"') != count or b"\\" + opening in raw:
            return None
    for old, new in new_texts.items():
        raw = raw.replace(_token(old), _token(new))
    return raw


def _replaced_by_token(raw: bytes, resource: dict[str, Any], changes: list[Change]) -> bytes:
    """Replace string by string: the k-th of the document is the k-th of the parsed resource."""
    by_place = {(id(place), key): new for place, key, new in _places(resource, changes)}
    tokens = _STRING.finditer(raw)
    parts, position = [], 0
    try:
        for place in _strings(resource):
            start, end = next(tokens).span()
            new = by_place.get(place) if place else None
            if new is not None:
                token = raw[start:end]
                new_token = _token(new) if isinstance(new, str) else edited_token(token, new)
                parts += [raw[position:start], new_token]
                position = end
    except StopIteration:
        raise ValueError("the resource was not parsed from these bytes") from None
    if next(tokens, None) is not None:
        raise ValueError("the resource was not parsed from these bytes")
    return b"".join([*parts, raw[position:]])


def _places(
    resource: dict[str, Any], changes: list[Change]
) -> Iterator[tuple[Any, str | int, str | list[Edit]]]:
    for found, new in changes:
        keys = found.keys
        place: Any = resource
        for key in keys[:-1]:
            place = place[key]
        yield place, keys[-1], new


def _strings(value: Any) -> Iterator[tuple[int, str | int] | None]:
    """Yield once for each string of a document: None for a name, its place for a value."""
    members: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        if isinstance(key, str):
            yield None
        if isinstance(member, str):
            yield id(value), key
        elif isinstance(member, dict | list):
            yield from _strings(member)


def _applied(resource: dict[str, Any], changes: list[Change]) -> dict[str, Any]:
    """Return the resource with the changes; what they don't touch is shared with the original."""
    result = dict(resource)
    own = {id(result)}
    for found, new in changes:
        keys = found.keys
        place: Any = result
        for key in keys[:-1]:
            if id(place[key]) not in own:
                place[key] = place[key].copy()
                own.add(id(place[key]))
            place = place[key]
        last = keys[-1]
        place[last] = new if isinstance(new, str) else edited(place[last], new)
    return result


def _token(text: str) -> bytes:
    return msgspec.json.encode(text)
