"""Writes the role table into `auth/README.md` from the code: `python3 -m auth.roles.as_text`."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from auth.roles.decisions import DECISIONS
from auth.roles.families import FAMILIES, Family
from auth.roles.grid import LETTERS, Right
from auth.roles.known import ROLES, WORDS
from auth.roles.matrix import rights
from auth.roles.narrowings import NARROWINGS

README = Path(__file__).resolve().parents[1] / "README.md"
_BEGIN = "<!-- roles: written by `python3 -m auth.roles.as_text`, checked by a test -->\n"
_END = "<!-- /roles -->"


def text() -> str:
    """Return all that stands between the markers: roles, table, words, families, decisions."""
    parts = (
        ("Roles", _roles()),
        ("Table", _table()),
        ("Narrowings", _narrowings()),
        ("Families of types", _families()),
        ("Where sources differ", _decisions()),
    )
    lines = (line for title, part in parts for line in (f"### {title}", "", *part, ""))
    return "\n".join(lines)


def stands() -> str:
    """Return what stands in the README."""
    return README.read_text("utf-8").partition(_BEGIN)[2].partition(_END)[0]


def write() -> None:
    """Bring the README up to date."""
    before, begin, rest = README.read_text("utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    README.write_text(before + begin + text() + end + after, "utf-8")


def cell(some: Iterable[Right]) -> str:
    """Return rights as the tables write them; the order is that of the letters."""
    return " ".join(sorted(map(_right, some), key=_order)) or "-"


def _right(one: Right) -> str:
    letters = "".join(letter for letter in LETTERS if letter in one.letters)
    return ":".join(filter(None, (letters, "+".join(sorted(one.narrowing)))))


def _order(text: str) -> tuple[int, str]:
    return LETTERS.index(text[0]), text


def _roles() -> Iterator[str]:
    yield from _rows(("Role", "Called", "What it is"))
    for role in ROLES:
        yield _row((f"`{role.word}`", role.label, role.meaning))


def _table() -> Iterator[str]:
    """Yield a row for the types of a family that are alike, in as many columns as roles."""
    yield from _rows(("Types", *WORDS))
    for family in FAMILIES:
        for types, cells in _alike(family):
            yield _row((types, *(one if one == "-" else f"`{one}`" for one in cells)))


def _alike(family: Family) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the types of a family that have the same rights, with these."""
    by_cells = {
        type: tuple(cell(rights(role, type)) for role in WORDS) for type in sorted(family.types)
    }
    alike = groupby(sorted(by_cells, key=lambda type: (by_cells[type], type)), by_cells.__getitem__)
    groups = [(list(types), cells) for cells, types in alike]
    for types, cells in sorted(groups):
        yield _named(family, types), cells


def _named(family: Family, types: list[str]) -> str:
    if len(types) <= _MOST_NAMED:
        return ", ".join(types)
    return f"{family.name}, {'all' if len(types) == len(family.types) else 'the others'}"


_MOST_NAMED = 7


def _narrowings() -> Iterator[str]:
    yield from _rows(("Word", "By", "Meaning"))
    for one in NARROWINGS:
        yield _row((f"`{one.word}`", one.kind, one.meaning))


def _families() -> Iterator[str]:
    yield from _rows(("Family", "Types", "Those without a row of their own"))
    for one in FAMILIES:
        yield _row((one.name, ", ".join(sorted(one.types)), one.why))


def _decisions() -> Iterator[str]:
    yield from _rows(("About", "Differ", "Won", "So"))
    for one in DECISIONS:
        yield _row((one.about, one.differ, one.won, one.why))


def _rows(titles: tuple[str, ...]) -> Iterator[str]:
    yield _row(titles)
    yield "|" + "---|" * len(titles)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write()
