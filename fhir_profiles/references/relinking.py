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
# From here on one pass over the document is cheaper than one for each text: a Provenance may
# point at thousands.
_MANY = 12
_TOKEN = re.compile(rb'"(?:urn:uuid:|[A-Z][A-Za-z]+\?)[^"\\]*"')


def may_be_extended(raw: bytes) -> bool:
    """Tell whether a document may hold an extension: `collect` can pass over much where not."""
    return b"xtension" in raw or b"\\u" in raw


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
    counts: dict[str, int] = {}
    urns = 0
    for one in found:
        text = one.value
        if text is None:
            continue
        urns += text.startswith(_URN)
        if text in replacements:
            counts[text] = counts.get(text, 0) + 1
    if raw.count(b"urn:uuid:") != urns or any(escape in raw for escape in _ESCAPES):
        return None
    tokens = {old: f'"{old}"'.encode() for old in counts}
    if any("\\" in old or '"' in old for old in counts):
        return None
    if _counted(raw, tokens) != counts:
        return None
    new = {tokens[old]: f'"{replacements[old]}"'.encode() for old in counts}
    raw = _replaced(raw, new)
    for one in found:
        if one.value in counts:
            one.holder["reference"] = replacements[one.value]
    return raw


def _counted(raw: bytes, tokens: Mapping[str, bytes]) -> dict[str, int]:
    """Return how often each token stands in the document."""
    if len(tokens) < _MANY:
        return {old: raw.count(token) for old, token in tokens.items()}
    found = Counter(_TOKEN.findall(raw))
    return {old: found[token] for old, token in tokens.items()}


def _replaced(raw: bytes, new: Mapping[bytes, bytes]) -> bytes:
    if len(new) >= _MANY:
        return _TOKEN.sub(lambda match: new.get(match[0], match[0]), raw)
    for token, text in new.items():
        raw = raw.replace(token, text)
    return raw
