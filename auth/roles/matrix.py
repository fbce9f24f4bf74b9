"""The role table asked: which rights a role has on a type. Pure and total, deny by default.

The table is written in `clinicians.py`, `community.py`, `persons.py` and `offices.py`. A right is a
ceiling: relationship, labels, consent and the rules of elements take away from it.
"""

from auth.roles import clinicians, community, offices, persons
from auth.roles.grid import LETTERS, Right, read

__all__ = ["LETTERS", "TABLES", "Right", "may", "narrowings", "rights"]

TABLES = (clinicians.TABLE, community.TABLE, persons.TABLE, offices.TABLE)
_GRID = read(*TABLES)


def rights(role: str, type: str) -> tuple[Right, ...]:
    """Return what a role may do with a type; nothing for a role or type that is not known."""
    return _GRID.get((role, type), ())


def may(role: str, letter: str, type: str) -> bool:
    """Tell whether a role may do what a letter stands for with some rows of a type."""
    return any(letter in right.letters for right in rights(role, type))


def narrowings(role: str, letter: str, type: str) -> tuple[frozenset[str], ...]:
    """Return the alternatives of words by which a letter is narrowed; none: it is not permitted.

    All words of one alternative must hold. An empty alternative holds for every row.
    """
    return tuple(right.narrowing for right in rights(role, type) if letter in right.letters)
