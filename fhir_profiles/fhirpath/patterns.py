"""Regular expressions of untrusted expressions, bounded (FHIRPath N1 §5.6.8 to 5.6.10).

Python's engine backtracks, so a hostile pattern could run for years. A pattern whose repetitions
nest ambiguously is refused, and the length of the text is limited by how many repetitions could
share it.
"""

import re
from functools import lru_cache
from math import comb
from re import _constants as codes  # type: ignore[attr-defined]  # private
from re import _parser as sre  # type: ignore[attr-defined]  # private
from typing import Any

from .errors import FhirPathError

_MAX_PATTERN = 2_000
_MAX_WORK = 50_000_000
_MANY = 16  # a repetition of up to this many times counts as a constant


def matches(value: str, pattern: str) -> bool:
    """Tell whether the pattern is found anywhere in the value."""
    return _bounded(pattern, value).search(value) is not None


def matches_whole(value: str, pattern: str) -> bool:
    """Tell whether the pattern covers the whole value."""
    return _bounded(pattern, value).fullmatch(value) is not None


def substitute(value: str, pattern: str, replacement: str) -> str:
    """Replace every match; `$1` and `${name}` in the replacement stand for groups."""
    if not pattern:
        return value
    size = 0

    def insert(match: re.Match[str]) -> str:
        nonlocal size
        found = _GROUP.sub(lambda reference: _group(match, reference), replacement)
        size += len(found)
        if size > 1_000_000:
            raise FhirPathError("replaceMatches() made more than 1000000 characters")
        return found

    return _bounded(pattern, value).sub(insert, value)


def _group(match: re.Match[str], reference: re.Match[str]) -> str:
    name = reference.group(1) or reference.group(2)
    if name is None:
        return reference.group(3)
    try:
        return match.group(int(name) if name.isdecimal() else name) or ""
    except IndexError:
        raise FhirPathError(f"The pattern has no group {name}") from None


def _bounded(pattern: str, value: str) -> re.Pattern[str]:
    compiled, repetitions = _compile(pattern)
    if repetitions and comb(len(value) + repetitions, repetitions) > _MAX_WORK:
        raise FhirPathError("This pattern is too costly for a text of this length")
    return compiled


@lru_cache(maxsize=512)
def _compile(pattern: str) -> tuple[re.Pattern[str], int]:
    if len(pattern) > _MAX_PATTERN:
        raise FhirPathError(f"The pattern is longer than {_MAX_PATTERN} characters")
    native = _NAMED.sub("(?P<", pattern)
    try:
        repetitions = _repetitions(list(sre.parse(native, re.DOTALL)))
        compiled = re.compile(native, re.DOTALL)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise FhirPathError(f"This is no regular expression: {error}") from None
    # A search tries every start, which is one more repetition.
    return compiled, repetitions + (0 if native.startswith("^") else 1) if repetitions else 0


def _repetitions(items: list[tuple[Any, Any]]) -> int:
    """Count the long repetitions that can compete for the same characters."""
    count = 0
    for position, (code, argument) in enumerate(items):
        inner = [_repetitions(list(body)) for body in _bodies(code, argument)]
        most = max(inner, default=0)
        if code not in _REPEATS:
            count += most + (1 if code is codes.GROUPREF else 0)
            continue
        low, high, body = argument
        if high > 1 and (most or _branches(list(body))) and not _delimited(list(body)):
            raise FhirPathError("This pattern nests repetitions that are ambiguous; unroll them")
        count += most
        if high - low > _MANY and not _ends_clearly(list(body), items[position + 1 :]):
            count += 1
    return count


def _bodies(code: Any, argument: Any) -> list[Any]:
    """Return the sub-patterns of one item."""
    if code in _REPEATS:
        return [argument[2]]
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code is codes.BRANCH:
        return list(argument[1])
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [argument[1]]
    if code is codes.ATOMIC_GROUP:
        return [argument]
    if code is codes.GROUPREF_EXISTS:
        return [body for body in argument[1:] if body]
    return []


def _branches(items: list[tuple[Any, Any]]) -> bool:
    """Tell whether there is an alternation, or a part that may be left out, inside."""
    for code, argument in items:
        if code is codes.BRANCH or code in (codes.GROUPREF, codes.GROUPREF_EXISTS):
            return True
        if code in _REPEATS and argument[0] != argument[1]:
            return True
        if any(_branches(list(body)) for body in _bodies(code, argument)):
            return True
    return False


def _delimited(items: list[tuple[Any, Any]]) -> bool:
    """Tell whether each round starts, or ends, with a character that it holds nowhere else."""
    while len(items) == 1 and items[0][0] is codes.SUBPATTERN:
        items = list(items[0][1][3])
    if len(items) < 2:
        return False
    for mark, rest in ((items[0], items[1:]), (items[-1], items[:-1])):
        if mark[0] is codes.LITERAL and not any(_may_hold(each, mark[1]) for each in rest):
            return True
    return False


def _ends_clearly(body: list[tuple[Any, Any]], rest: list[tuple[Any, Any]]) -> bool:
    """Tell whether a character follows that the repeated one can't be: it stops in one place."""
    if len(body) != 1 or not rest or rest[0][0] is not codes.LITERAL:
        return False
    return not _may_hold(body[0], rest[0][1])


def _may_hold(item: tuple[Any, Any], character: int) -> bool:
    code, argument = item
    if code is codes.LITERAL:
        return bool(argument == character)
    if code is codes.NOT_LITERAL:
        return bool(argument != character)
    if code is codes.IN:
        return _in_set(argument, character)
    if code is codes.AT:
        return False
    bodies = _bodies(code, argument)
    return not bodies or any(_may_hold(each, character) for body in bodies for each in body)


def _in_set(parts: list[tuple[Any, Any]], character: int) -> bool:
    negated = bool(parts) and parts[0][0] is codes.NEGATE
    found = False
    for code, argument in parts:
        if code is codes.LITERAL:
            found = found or argument == character
        elif code is codes.RANGE:
            found = found or argument[0] <= character <= argument[1]
        elif code is codes.CATEGORY:
            pattern = _CATEGORIES.get(argument)
            if pattern is None:
                return True
            found = found or re.match(pattern, chr(character)) is not None
    return found is not negated


_NAMED = re.compile(r"(?<!\\)\(\?<(?![=!])")
_GROUP = re.compile(r"\$(?:\{(\w+)\}|(\d+))|\\(.)", re.DOTALL)
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s", codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
