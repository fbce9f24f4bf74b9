"""Fold text for comparison: case, accents and runs of white space do not count.

R4 search.html §3.1.1.5.3: strings match "after both have been normalized by case and accent".
Folding happens here only, at write and at query, so both engines compare the same bytes.
"""

import unicodedata


def fold(text: str) -> str:
    """Return the text in compatibility form, casefolded, without marks, single spaces between."""
    if not text.isascii():
        # Twice: casefolding may bring characters that decompose again.
        text = _unmarked(_unmarked(text).casefold())
    return " ".join(text.lower().split())


def _unmarked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.category(each).startswith("M"))
