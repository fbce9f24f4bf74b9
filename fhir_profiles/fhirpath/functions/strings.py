"""String manipulation (FHIRPath N1 §5.6) and the string functions of later ballots."""

import base64
import binascii
import html
import json
from collections.abc import Callable
from typing import Any

from ..environment import MAX_TEXT, Environment
from ..errors import FhirPathError
from ..nodes import Collection
from ..patterns import matches, matches_whole, substitute
from ..values import EMPTY, integer, text
from .signature import Function, values


def _function(name: str, run: Callable[..., Any], arguments: int = 0) -> Function:
    """Make a function of a string and strings; nothing in gives nothing out."""

    def call(items: Collection, env: Environment, *others: Collection) -> Collection:
        found = [text(each, f"{name}()") for each in (items, *others)]
        if any(each is None for each in found):
            return EMPTY
        env.spend(sum(map(len, found)) >> 6)  # type: ignore[arg-type]  # None has returned
        if name in _PATTERNS:
            env.watch()
        result = run(*found)
        if type(result) is list:
            env.spend(len(result))
            return [env.made(each) for each in result]
        return EMPTY if result is None else [env.made(result) if type(result) is str else result]

    return values(call, arguments)


def substring(
    items: Collection, env: Environment, start: Collection, length: Collection = EMPTY
) -> Collection:
    """Return part of a string; a start outside gives nothing."""
    value = text(items, "substring()")
    at, size = integer(start, "substring()"), integer(length, "substring()")
    if value is None or at is None or not 0 <= at < len(value):
        return EMPTY
    return [env.made(value[at:] if size is None else value[at : at + max(size, 0)])]


def join(items: Collection, env: Environment, separator: Collection = EMPTY) -> Collection:
    """Join strings."""
    if not items:
        return EMPTY
    parts = [text([item], "join()") for item in items]
    found = (text(separator, "join()") or "").join(part for part in parts if part is not None)
    return [env.made(found)]


def _replace(value: str, pattern: str, substitution: str) -> str:
    # The size is known before the string is made, so that it cannot exhaust memory.
    times = value.count(pattern)
    if len(value) + times * len(substitution) > MAX_TEXT:
        raise FhirPathError(f"replace() would make a string of more than {MAX_TEXT} characters")
    return value.replace(pattern, substitution)


def _split(value: str, separator: str) -> list[str]:
    return value.split(separator) if separator else list(value)


def _encode(value: str, form: str) -> str:
    raw = value.encode("utf-8", "surrogatepass")
    if form == "hex":
        return raw.hex()
    if form == "base64":
        return base64.b64encode(raw).decode("ascii")
    if form == "urlbase64":
        return base64.urlsafe_b64encode(raw).decode("ascii")
    raise FhirPathError(f"encode() knows hex, base64 and urlbase64, not {form!r}")


def _decode(value: str, form: str) -> str | None:
    try:
        if form == "hex":
            return bytes.fromhex(value).decode("utf-8")
        if form == "base64":
            return base64.b64decode(value, validate=True).decode("utf-8")
        if form == "urlbase64":
            return base64.b64decode(value, b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    raise FhirPathError(f"decode() knows hex, base64 and urlbase64, not {form!r}")


def _escape(value: str, form: str) -> str:
    if form == "html":
        return html.escape(value)
    if form == "json":
        return json.dumps(value, ensure_ascii=False)[1:-1]
    raise FhirPathError(f"escape() knows html and json, not {form!r}")


def _unescape(value: str, form: str) -> str | None:
    if form == "html":
        return html.unescape(value)
    if form != "json":
        raise FhirPathError(f"unescape() knows html and json, not {form!r}")
    try:
        return str(json.loads(f'"{value}"'))
    except ValueError:
        # A bare quote inside is no JSON, but its meaning is clear.
        return value if "\\" not in value else None


_PATTERNS = ("matches", "matchesFull", "replaceMatches")

FUNCTIONS = {
    "indexOf": _function("indexOf", str.find, 1),
    "lastIndexOf": _function("lastIndexOf", str.rfind, 1),
    "startsWith": _function("startsWith", lambda value, prefix: value.startswith(prefix), 1),
    "endsWith": _function("endsWith", lambda value, suffix: value.endswith(suffix), 1),
    "contains": _function("contains", lambda value, part: part in value, 1),
    "upper": _function("upper", str.upper),
    "lower": _function("lower", str.lower),
    "replace": _function("replace", _replace, 2),
    "matches": _function("matches", matches, 1),
    "matchesFull": _function("matchesFull", matches_whole, 1),
    "replaceMatches": _function("replaceMatches", substitute, 2),
    "length": _function("length", len),
    "toChars": _function("toChars", list),
    "trim": _function("trim", str.strip),
    "split": _function("split", _split, 1),
    "encode": _function("encode", _encode, 1),
    "decode": _function("decode", _decode, 1),
    "escape": _function("escape", _escape, 1),
    "unescape": _function("unescape", _unescape, 1),
    "substring": values(substring, 1, 2),
    "join": values(join, 0, 1),
}
