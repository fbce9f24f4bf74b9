"""Limits that differ by who asks: people's apps send and take little, systems much."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_OF_PEOPLE = frozenset({"professional", "patient", "carer"})


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound for people who signed in, and one for systems and operators."""

    people: int
    systems: int

    @classmethod
    def of_all(cls, most: int) -> "Limit":
        """Return a bound that is the same for everybody."""
        return cls(most, most)

    def of(self, kind: str) -> int:
        """Return the bound for callers of a kind (`auth/principal.py`)."""
        return self.people if kind in _OF_PEOPLE else self.systems


def limit(read: Callable[[str], int]) -> Callable[[str], Limit]:
    """Return a reader of two values, for people and for systems, or of one for both."""

    def read_both(text: str) -> Limit:
        parts = [part for part in re.split(r"\s*,\s*", text.strip()) if part]
        if not 1 <= len(parts) <= 2:
            raise ValueError("write one value for all, or two: for people, for systems")
        return Limit(read(parts[0]), read(parts[-1]))

    return read_both
