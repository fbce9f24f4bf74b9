"""`_count` as text: any whole number, since a page may have less (R4 search.html, Page Count).

Servers "SHALL NOT return more resources than requested … but are allowed to return less".
"""

_LARGEST = 10**9


def read_count(text: str) -> int | None:
    """Return the number; None where it is none. More than any page has is as good as a billion."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) < 10 else _LARGEST
