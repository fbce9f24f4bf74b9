"""The quick way to rewrite links: where only References hold them, each spelt in one way.

Most Bundles link by `urn:uuid:` and conditional references, and nearly all their links are
References. Counting proves it for a document; else `rewriting.py` does the same with more care.
"""

from collections.abc import Mapping, Sequence

from fhir_profiles.references.collection import Found

_URN = "urn:uuid:"
_ESCAPES = (b"\\u", b"\\/")


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
    if any("\\" in old or '"' in old or raw.count(tokens[old]) != counts[old] for old in counts):
        return None
    for old, token in tokens.items():
        raw = raw.replace(token, f'"{replacements[old]}"'.encode())
    for one in found:
        if one.value in counts:
            one.holder["reference"] = replacements[one.value]
    return raw
