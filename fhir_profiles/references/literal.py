"""Read the text of a literal reference (FHIR R4 §2.3.0.1): type, id and version if ours."""

import re
from collections.abc import Sequence

from fhir_profiles.definitions import is_resource_type

_LITERAL = re.compile(
    r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?"
)


def type_and_id(text: str, bases: Sequence[str] = ()) -> tuple[str, str, str | None] | None:
    """Return type, id and version of `Type/id[/_history/version]`, relative or under a base URL.

    None for all else: `#fragment`, `urn:`, conditional `Type?…`, canonical and foreign URLs.
    """
    if "://" in text:
        text = _below(text, bases)
    match = _LITERAL.fullmatch(text)
    if match is None or not is_resource_type(match.group(1)):
        return None
    return match.group(1), match.group(2), match.group(3)


def _below(text: str, bases: Sequence[str]) -> str:
    for base in bases:
        root = base.rstrip("/") + "/"
        if text.startswith(root):
            return text[len(root) :]
    return ""
