"""Change the links of a narrative (`href`, `src`) and nothing else of its text.

FHIR R4 §3.1.0.11.1 asks that a transaction's links are followed up there too. Tags are found by an
XML parser; a narrative that is not well-formed is left alone.
"""

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape

import msgspec

from fhir_profiles.xml_format.narrative import tag_end

_LINKS = ("href", "src")
_MAYBE = re.compile(r"\b(?:href|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_PIECE = re.compile(
    rb"[^\"\\]++|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\."
)
_ATTRIBUTE = re.compile(rb"\s([^\s=<>/\"']+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


class Edit(NamedTuple):
    """Bytes `start` to `end` of the UTF-8 text are to become `text`."""

    start: int
    end: int
    text: str


def link_edits(div: str, replacements: Mapping[str, str]) -> list[Edit]:
    """Return what to change in a narrative so that each old link becomes its new text."""
    # Almost no narrative gets past this; only those that do are parsed.
    if not any(unescape(a or b) in replacements for a, b in _MAYBE.findall(div)):
        return []
    if "<!DOCTYPE" in div:
        return []
    text = div.encode()
    edits: list[Edit] = []
    parser = expat.ParserCreate("utf-8")

    def tag(_: str, attributes: dict[str, str]) -> None:
        changed = {
            name.encode(): replacements[link]
            for name in _LINKS
            if (link := attributes.get(name, "")) in replacements and "?" not in link
        }
        if changed:
            start = parser.CurrentByteIndex
            edits.extend(_tag_edits(text, start, tag_end(text, start), changed))

    parser.StartElementHandler = tag
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        return []
    return edits


def _tag_edits(text: bytes, start: int, end: int, changed: Mapping[bytes, str]) -> list[Edit]:
    edits = []
    for match in _ATTRIBUTE.finditer(text, start, end):
        if match.group(1) in changed:
            group = 2 if match.group(2) is not None else 3
            quotes = {'"': "&quot;", "'": "&apos;"}
            new = escape(changed[match.group(1)], quotes)
            edits.append(Edit(match.start(group), match.end(group), new))
    return edits


def edited(div: str, edits: list[Edit]) -> str:
    """Return the narrative with these changes."""
    text, parts, position = div.encode(), [], 0
    for edit in edits:
        parts += [text[position : edit.start], edit.text.encode()]
        position = edit.end
    return b"".join([*parts, text[position:]]).decode()


def edited_token(token: bytes, edits: list[Edit]) -> bytes:
    """Return the narrative's JSON string with these changes; all its other bytes stay."""
    offsets = _raw_offsets(token, [each for edit in edits for each in (edit.start, edit.end)])
    parts, position = [], 0
    for number, edit in enumerate(edits):
        new = msgspec.json.encode(edit.text)[1:-1]
        parts += [token[position : offsets[2 * number]], new]
        position = offsets[2 * number + 1]
    return b"".join([*parts, token[position:]])


def _raw_offsets(token: bytes, wanted: list[int]) -> list[int]:
    """Return where offsets of the UTF-8 text lie in the JSON string that spells it."""
    found: list[int] = []
    reached = 0
    for match in _PIECE.finditer(token, 1, len(token) - 1):
        piece = match.group()
        is_plain = piece[:1] != b"\\"
        length = len(piece) if is_plain else len(json.loads(b'"' + piece + b'"').encode())
        while len(found) < len(wanted) and wanted[len(found)] < reached + length:
            within = wanted[len(found)] - reached
            found.append(match.start() + (within if is_plain else 0))
        reached += length
    return found + [len(token) - 1] * (len(wanted) - len(found))
