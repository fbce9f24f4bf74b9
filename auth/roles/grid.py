"""Reads the written tables into rights; refuses at import what is not well formed.

A cell that is wrong would open or shut the record in silence, so a type, role, letter or word that
does not exist, a row twice and a right given twice are all a ValueError.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auth.roles.families import FAMILIES, FAMILY_OF
from auth.roles.known import WORDS
from auth.roles.narrowings import BY_WORD

LETTERS = "crudsh"


@dataclass(frozen=True, slots=True)
class Right:
    """Letters that are permitted where all words of the narrowing hold; none: without more."""

    letters: frozenset[str]
    narrowing: frozenset[str] = frozenset()


Rights = tuple[Right, ...]
Grid = Mapping[tuple[str, str], Rights]

_FAMILIES = {f"[{one.name}]": one.types for one in FAMILIES}


def read(*tables: str) -> Grid:
    """Return the rights at (role, type) of some tables, whose columns must be all the roles.

    Raises ValueError.
    """
    found: dict[tuple[str, str], Rights] = {}
    for table in tables:
        for at, rights in _cells(table):
            if at in found:
                raise ValueError(f"{at} is there twice")
            found[at] = rights
    if {role for role, _ in found} != set(WORDS):
        raise ValueError("not all roles have a column")
    return found


def _cells(table: str) -> Iterator[tuple[tuple[str, str], Rights]]:
    """Yield the rights of one table; a type's own row comes before that of its family."""
    lines = table.strip().replace("\n ", " ").splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    (_, *roles), *named = rows
    if not set(roles) <= set(WORDS):
        raise ValueError(f"unknown role among {roles}")
    own: set[str] = set()
    for name, *cells in sorted(named, key=lambda row: row[0].startswith("[")):
        is_family = name in _FAMILIES
        types = _FAMILIES[name] - own if is_family else frozenset(name.split(", "))
        if len(cells) != len(roles) or not types <= set(FAMILY_OF) or (types & own):
            raise ValueError(f"row {name} is not well formed")
        own |= types
        rights = [_rights(cell, types) for cell in cells]
        for role, some in zip(roles, rights, strict=True):
            yield from (((role, type), some) for type in types)


def _rights(cell: str, types: frozenset[str]) -> Rights:
    if cell == "-":
        return ()
    rights = tuple(_right(word, types) for word in cell.split())
    if not rights or len(set(rights)) != len(rights):
        raise ValueError(f"cell {cell!r} is not well formed")
    return rights


def _right(text: str, types: frozenset[str]) -> Right:
    letters, colon, narrowing = text.partition(":")
    words = narrowing.split("+") if colon else []
    if not letters or set(letters) - set(LETTERS) or len(set(letters)) != len(letters):
        raise ValueError(f"unknown letters in {text!r}")
    for word in words:
        known = BY_WORD.get(word)
        if known is None or (known.types and not types <= known.types):
            raise ValueError(f"{word!r} means nothing for {', '.join(sorted(types))}")
    return Right(frozenset(letters), frozenset(words))
