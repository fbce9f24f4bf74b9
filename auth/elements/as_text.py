"""Writes the rules of elements into `auth/README.md`: `python3 -m auth.elements.as_text`."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from auth.elements.authors import AUTHORS
from auth.elements.decisions import DECISIONS
from auth.elements.labelling import ALL, LABELS, SHARED_LABELS
from auth.elements.moves import MOVES, NEW, Moves
from auth.elements.openings import OPENINGS
from auth.elements.plan_rows import KINDS
from auth.elements.who import ROWS, STANDINGS, Who

README = Path(__file__).resolve().parents[1] / "README.md"
_BEGIN = "<!-- elements: written by `python3 -m auth.elements.as_text`, checked by a test -->\n"
_END = "<!-- /elements -->"


def text() -> str:
    """Return all that stands between the markers."""
    parts = (
        ("Who changes which element", _elements()),
        ("Parts of a CarePlan", _kinds()),
        ("Standings", _standings()),
        ("Moves", _moves()),
        ("Elements that open a record", _openings()),
        ("Authors", _authors()),
        ("Who sets labels", _labels()),
        ("What the sources leave open", _decisions()),
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


def _elements() -> Iterator[str]:
    rows = ((row.type, _codes(row.elements), _who(row.who)) for row in ROWS)
    return _table(("Type", "Elements", "Who"), rows)


def _kinds() -> Iterator[str]:
    rows = ((kind, _who(adds), _who(changes)) for kind, (adds, changes) in KINDS.items())
    return _table(("Kind", "Who adds", "Who changes and takes away"), rows)


def _standings() -> Iterator[str]:
    return _table(("Word", "Meaning"), ((f"`{one.word}`", one.meaning) for one in STANDINGS))


def _moves() -> Iterator[str]:
    """Yield a row for each state; who is told where it is not whoever may change the element."""
    rows = (
        (f"{type}.{moves.element}", "(new)" if state == NEW else state, _steps(moves, state))
        for type, moves in MOVES.items()
        for state in moves.steps
    )
    return _table(("Element", "From", "To, by whom where not by all who may change it"), rows)


def _steps(moves: Moves, state: str) -> str:
    steps: Mapping[str, Who | None] = moves.after(state)
    groups = groupby(
        steps, key=lambda target: "" if (some := steps[target]) is None else _who(some)
    )
    return "; ".join(
        ", ".join(targets) + (f" ({some})" if some else "") for some, targets in groups
    )


def _openings() -> Iterator[str]:
    rows = (
        (
            f"`{one.type}.{one.element}`",
            _who(one.anybody),
            _who(one.colleagues),
            "let, with a claim" if one.claims else "refused, with a claim",
        )
        for one in OPENINGS
    )
    titles = ("Element", "Names anybody", "Names colleagues", "Others, themselves")
    return _table(titles, rows)


def _authors() -> Iterator[str]:
    rows = (
        (
            f"`{one.type}.{one.element}`",
            "; ".join((one.rule, *(f"{kind}: {rule}" for kind, rule in one.by_kind.items()))),
            one.why,
        )
        for one in AUTHORS
    )
    return _table(("Element", "Rule", "Why"), rows)


def _labels() -> Iterator[str]:
    rows = [
        (f"`{role}`", _those(some), "all rows" if is_everywhere else "rows of theirs")
        for role, (some, is_everywhere) in LABELS.items()
    ]
    rows += [(f"`{role}`", _those(some), "what all share") for role, some in SHARED_LABELS.items()]
    return _table(("Role", "Labels", "On"), rows)


def _decisions() -> Iterator[str]:
    return _table(("About", "So"), ((one.about, one.holds) for one in DECISIONS))


def _those(some: frozenset[str]) -> str:
    return "all" if some == ALL else ", ".join(sorted(some))


def _who(some: Who) -> str:
    return " ".join(f"`{'+'.join(sorted(words))}`" for words in some) or "-"


def _codes(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words)


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(titles)
    yield "|" + "---|" * len(titles)
    yield from map(_row, rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write()
