"""A parameter's text taken apart: alternatives, parts, backslashes (R4 search.html §3.1.1.4.4).

What no index row can hold is refused here, whatever its type.
"""

import re
from collections.abc import Iterator

from ehr.errors import Invalid
from fhir_profiles.search_parameters import SearchParameter

# No index row holds more, and LIKE patterns stay within every engine's limit.
_LONGEST_VALUE = 8_192
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def alternatives(text: str) -> tuple[str, ...]:
    """Split on commas that are not escaped (R4 §3.1.1.4.4); escapes stay for the type to undo."""
    return tuple(_split(text))


def _split(text: str) -> Iterator[str]:
    if "\\" not in text:
        yield from text.split(",")
        return
    start = position = 0
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] == ",":
            yield text[start:position]
            start = position + 1
        position += 1
    yield text[start:]


def unescape(parameter: SearchParameter, value: str) -> str:
    """Take the backslashes of `\\,` `\\$` `\\|` `\\\\` away, and refuse what no row can hold."""
    return _ESCAPE.sub(r"\1", checked(parameter, value))


def checked(parameter: SearchParameter, value: str) -> str:
    """Return the value as sent, or refuse one that is empty, too long or no text."""
    if not value.strip():
        raise Invalid(
            f"Parameter {parameter.code} has an empty value. Give one, or leave it out; "
            f"{parameter.code}:missing=true finds resources without it."
        )
    if len(value) > _LONGEST_VALUE:
        raise Invalid(f"Parameter {parameter.code}: the value is over {_LONGEST_VALUE} characters.")
    if _FORBIDDEN.search(value):
        raise Invalid(f"Parameter {parameter.code}: the value has characters no text may have.")
    return value


def split(parameter: SearchParameter, value: str, separator: str) -> list[str]:
    """Split at separators that no backslash protects; the parts come unescaped."""
    return [_ESCAPE.sub(r"\1", part) for part in split_escaped(parameter, value, separator)]


def split_escaped(parameter: SearchParameter, value: str, separator: str) -> list[str]:
    """Split at separators that no backslash protects; the parts keep their escapes."""
    unprotected = re.compile(rf"((?:[^\\{re.escape(separator)}]|\\.|\\$)*)", re.DOTALL)
    parts, at = [], 0
    checked(parameter, value)
    while True:
        match = unprotected.match(value, at)
        assert match is not None
        parts.append(match[1])
        at = match.end() + 1
        if match.end() == len(value):
            return parts


def refuse(parameter: SearchParameter, value: str, wanted: str) -> Invalid:
    """Return the error for a value that cannot be read, saying what would be right."""
    shown = value if len(value) <= 100 else value[:100] + "…"
    return Invalid(f"Parameter {parameter.code}: {shown!r} is not {wanted}.")
