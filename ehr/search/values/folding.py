"""Fold text for comparison: case, accents, punctuation and runs of white space do not count.

R4 search.html §3.1.1.4.8: a string search "is insensitive to casing and included combining
characters … Punctuation and non-significant whitespace … should also be ignored". Folding happens
here only, at write and at query, so both engines compare the same bytes.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_PUNCTUATION = {
    ordinal: None for ordinal in range(128) if unicodedata.category(chr(ordinal)).startswith("P")
}
# Beyond the first 65,536 characters these have all marks and punctuation.
_RARE = re.compile("[\U00010000-\U0010ffff]")
_RARE_ORDINALS = (*range(0x10000, 0x20000), *range(0xE0000, 0xE0200))
# No language's letters become more than three each; one Arabic ligature becomes 18.
_GROWTH, _SPARE = 3, 1000


def fold(text: str) -> str:
    """Return the text in compatibility form, casefolded, without marks and punctuation.

    A text of nothing but punctuation stays, so that it can be found at all.
    """
    if not text.isascii():
        text = unmarked(text)
    text = text.lower()
    return " ".join(_unpunctuated(text).split()) or " ".join(text.split())


def unmarked(text: str) -> str:
    """Return the text in compatibility form, casefolded, without marks."""
    longest = _GROWTH * len(text) + _SPARE
    # Twice: casefolding may bring characters that decompose again.
    return _decomposed(_decomposed(text, longest).casefold(), longest)


def _decomposed(text: str, longest: int) -> str:
    # First without marks: putting thousands in a row in order takes the square of their number.
    return _without(unicodedata.normalize("NFKD", _without(text, "M")), "M")[:longest]


def _unpunctuated(text: str) -> str:
    text = text.translate(_PUNCTUATION)
    return text if text.isascii() else _without(text, "P")


def _without(text: str, kind: str) -> str:
    text = _every(kind, rare=False).sub("", text)
    return _every(kind, rare=True).sub("", text) if _RARE.search(text) else text


@cache
def _every(kind: str, *, rare: bool) -> re.Pattern[str]:
    """Return a pattern of all characters of a kind; many times faster than asking for each."""
    ordinals = _RARE_ORDINALS if rare else range(0x80, 0x10000)
    found = [each for each in ordinals if unicodedata.category(chr(each)).startswith(kind)]
    return re.compile(f"[{''.join(_spans(found))}]+")


def _spans(ordinals: Iterable[int]) -> Iterable[str]:
    first = last = -1
    for each in (*ordinals, -1):
        if each != last + 1:
            if last >= 0:
                yield f"\\U{first:08x}-\\U{last:08x}"
            first = each
        last = each
