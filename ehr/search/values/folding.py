"""Fold text for comparison: case, accents, punctuation and runs of white space do not count.

R4 search.html §3.1.1.4.8: a string search "is insensitive to casing and included combining
characters … Punctuation and non-significant whitespace … should also be ignored". Folding happens
here only, at write and at query, so both engines compare the same bytes.
"""

import unicodedata

_PUNCTUATION = {
    ordinal: None for ordinal in range(128) if unicodedata.category(chr(ordinal)).startswith("P")
}


def fold(text: str) -> str:
    """Return the text in compatibility form, casefolded, without marks and punctuation.

    A text of nothing but punctuation stays, so that it can be found at all.
    """
    if not text.isascii():
        # Twice: casefolding may bring characters that decompose again.
        text = _unmarked(_unmarked(text).casefold())
    text = text.lower()
    return " ".join(_unpunctuated(text).split()) or " ".join(text.split())


def _unmarked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.category(each).startswith("M"))


def _unpunctuated(text: str) -> str:
    text = text.translate(_PUNCTUATION)
    if text.isascii():
        return text
    return "".join(each for each in text if not unicodedata.category(each).startswith("P"))
