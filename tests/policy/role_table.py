"""Reads `roles.toml`, the role table as written by hand. Imports nothing of what it judges."""

import tomllib
from collections import defaultdict
from pathlib import Path

_WRITTEN = Path(__file__).with_name("roles.toml")
_Alternatives = frozenset[frozenset[str]]


def roles() -> list[str]:
    """Return the roles that are written."""
    return [name for name in _written() if name != "groups"]


def cells() -> dict[tuple[str, str, str], _Alternatives]:
    """Return at (role, type, letter) the alternatives of words; nothing where not permitted.

    Raises ValueError for a word that is not well formed or there twice.
    """
    written = _written()
    groups: dict[str, list[str]] = written["groups"]
    found: dict[tuple[str, str, str], _Alternatives] = {}
    for role in roles():
        lines: dict[str, list[str]] = written[role]
        for name in sorted(lines, key=lambda name: name not in groups):
            for type in groups.get(name, [name]):
                for letter in "crudsh":
                    found.pop((role, type, letter), None)
                for letter, some in _letters(lines[name]).items():
                    found[role, type, letter] = some
    return found


def types() -> list[str]:
    """Return every type that any line or group names, in order."""
    written = _written()
    named = {name for role in roles() for name in written[role]} - set(written["groups"])
    return sorted(named | {one for some in written["groups"].values() for one in some})


def _letters(words: list[str]) -> dict[str, _Alternatives]:
    found: dict[str, set[frozenset[str]]] = defaultdict(set)
    for word in words:
        letter, colon, narrowing = word.partition(":")
        alternative = frozenset(narrowing.split("+") if colon else ())
        if letter not in tuple("crudsh") or "" in alternative or alternative in found[letter]:
            raise ValueError(word)
        found[letter].add(alternative)
    return {letter: frozenset(some) for letter, some in found.items()}


def _written() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(_WRITTEN.read_text("utf-8"))
