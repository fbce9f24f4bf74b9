"""Texts: escapes, strings that are folded before they are compared, and uris that are not.

FHIR R4 §3.1.1.4.8 (string), §3.1.1.4.9 (uri), §3.1.1.4.19 (escaping).
"""

import unicodedata
from collections.abc import Iterable, Iterator

from tests.spec.oracle.elements import Element

_NAME = ("family", "given", "prefix", "suffix", "text")
_ADDRESS = ("line", "city", "district", "state", "postalCode", "country", "text")


def split(text: str, separator: str) -> list[str]:
    """Split at separators without a backslash; the parts keep their backslashes."""
    parts, escaped = [""], False
    for character in text:
        if character == separator and not escaped:
            parts.append("")
            continue
        parts[-1] += character
        escaped = character == "\\" and not escaped
    return parts


def unescape(text: str) -> str:
    """Take away the backslashes that protect what follows them."""
    plain, escaped = "", False
    for character in text:
        escaped = character == "\\" and not escaped
        if not escaped:
            plain += character
    return plain


def fold(text: str) -> str:
    """Return the text as the default string search sees it.

    "This search is insensitive to casing and included combining characters, like accents or other
    diacritical marks. Punctuation and non-significant whitespace (e.g. repeated space characters,
    tab vs space) should also be ignored." (§3.1.1.4.8)
    """
    before = None
    while text != before:
        before = text
        text = "".join(_bases(unicodedata.normalize("NFKD", text))).casefold()
    words = "".join(" " if each.isspace() else each for each in text)
    plain = " ".join("".join(_without_punctuation(words)).split())
    # R4 leaves this open: what is left of "?" once punctuation is ignored. Itself.
    return plain or " ".join(words.split())


def _bases(text: str) -> Iterator[str]:
    return (each for each in text if unicodedata.category(each)[0] != "M")


def _without_punctuation(text: str) -> Iterator[str]:
    return (each for each in text if unicodedata.category(each)[0] != "P")


def element_texts(element: Element) -> list[str]:
    """Return the texts of an element: of names and addresses "the elements of type string"."""
    if element.type == "HumanName":
        return list(_texts(element.value, _NAME))
    if element.type == "Address":
        return list(_texts(element.value, _ADDRESS))
    if element.type == "CodeableConcept":
        displays = [coding.get("display") for coding in element.value.get("coding", ())]
        return [each for each in (element.value.get("text"), *displays) if each is not None]
    return [element.value] if isinstance(element.value, str) else []


def _texts(value: dict[str, object], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        part = value.get(name)
        for each in part if isinstance(part, list) else [part]:
            if isinstance(each, str):
                yield each


def string_matches(modifier: str | None, wanted: str, text: str) -> bool:
    """Tell whether a text equals or starts with another, or `:exact`, or `:contains`."""
    if modifier == "exact":
        return text == wanted
    if modifier == "contains":
        return fold(wanted) in fold(text)
    return fold(text).startswith(fold(wanted))


def uri_matches(modifier: str | None, wanted: str, uri: str) -> bool:
    """Tell whether a uri is the one wanted, below it or above it (§3.1.1.4.9)."""
    if modifier == "below":
        return uri.startswith(wanted)
    if modifier == "above":
        return uri == wanted or _is_above(uri, wanted)
    return uri == wanted


def _is_above(uri: str, wanted: str) -> bool:
    # R4 leaves this open: whether `http://a.org/b` is above `http://a.org/bc`. It is not: a path
    # is made of segments. Nor is `http://`: "only apply to URLs".
    bare = uri.rstrip("/")
    authority = bare.partition("//")[2] if "//" in bare else bare
    return bool(authority) and wanted.startswith(bare + "/") and wanted.startswith(uri)
