"""The quick way to rewrite links: where only References hold them, each spelt in one way.

Most Bundles link by `urn:uuid:` and conditional references, and nearly all their links are
References. Counting proves it for a document; else `rewriting.py` does the same with more care.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from fhir_profiles.references.collection import Found

_URN = "urn:uuid:"
_ESCAPES = (b"\\u", b"\\/")
# From here on one pass over the document is cheaper than one for each condition.
_MANY = 12
_CONDITION = re.compile(rb'"([A-Z][A-Za-z]+\?[^"\\]*)"')


def may_be_extended(raw: bytes) -> bool:
    """Tell whether a document may hold an extension: `collect` can pass over much where not."""
    return b"xtension" in raw or (b"\\" in raw and b"\\u" in raw)


def are_countable(replacements: Mapping[str, str]) -> bool:
    """Tell whether every old text is a `urn:uuid:` or a condition, so that `relink` may be tried.

    A condition (`Patient?identifier=…`) changes in References only; other spellings of a link may
    stand in elements that are not looked at here.
    """
    return all(old.startswith(_URN) or "?" in old for old in replacements)


def relink(raw: bytes, found: Sequence[Found], replacements: Mapping[str, str]) -> bytes | None:
    """Return `raw` with the References' old texts made new, and change `found`'s holders alike.

    `found` are all References of the document, contained ones too. None, and nothing changed, where
    an old text may also stand elsewhere or be spelt otherwise.
    """
    counts: dict[bytes, int] = {}
    new: dict[bytes, bytes] = {}
    urns = 0
    for one in found:
        text = one.value
        if text is None:
            continue
        is_urn = text.startswith(_URN)
        urns += is_urn
        if text in replacements:
            if "\\" in text or '"' in text:
                return None
            token = text.encode()
            new[token] = replacements[text].encode()
            if not is_urn:
                counts[token] = counts.get(token, 0) + 1
    if b"\\" in raw and any(escape in raw for escape in _ESCAPES):
        return None
    if raw.count(b"urn:uuid:") != urns or _counted(raw, counts) != counts:
        return None
    for token in counts:
        raw = raw.replace(b'"%s"' % token, b'"%s"' % new[token])
    if len(new) > len(counts):
        raw = _with_urns(raw, new)
    for one in found:
        if one.value is not None and one.value in replacements:
            one.holder["reference"] = replacements[one.value]
    return raw


def _counted(raw: bytes, tokens: Mapping[bytes, int]) -> dict[bytes, int]:
    """Return how often each text stands in the document."""
    if len(tokens) < _MANY:
        return {token: raw.count(b'"%s"' % token) for token in tokens}
    found = Counter(_CONDITION.findall(raw))
    return {token: found[token] for token in tokens}


def _with_urns(raw: bytes, new: Mapping[bytes, bytes]) -> bytes:
    """Return the document with every `urn:uuid:` that has a new text, in one pass over it."""
    head, *rest = raw.split(b'"urn:uuid:')
    parts = [head]
    for part in rest:
        id, _, after = part.partition(b'"')
        text = b"urn:uuid:" + id
        parts.append(b'"%s"%s' % (new.get(text, text), after))
    return b"".join(parts)
