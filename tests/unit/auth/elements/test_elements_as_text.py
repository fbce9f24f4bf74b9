"""The page about elements is what the code says."""

from auth.elements import as_text
from auth.elements.authors import AUTHORS
from auth.elements.decisions import DECISIONS
from auth.elements.moves import MOVES
from auth.elements.openings import OPENINGS
from auth.elements.who import ROWS, STANDINGS


def test_the_page_is_up_to_date() -> None:
    assert as_text.stands() == as_text.text(), "run `python3 -m auth.elements.as_text`"


def test_the_page_has_every_row() -> None:
    text = as_text.stands()

    assert all(f"| {row.type} | `{row.elements[0]}`" in text for row in ROWS)
    assert all(f"| `{one.word}` | {one.meaning} |" in text for one in STANDINGS)
    assert all(f"| `{one.type}.{one.element}` |" in text for one in (*AUTHORS, *OPENINGS))
    assert all(f"| {type}.{moves.element} |" in text for type, moves in MOVES.items())
    assert all(f"| {one.about} | {one.holds} |" in text for one in DECISIONS)


def test_a_move_says_by_whom_only_where_not_all_may() -> None:
    text = as_text.stands()

    assert (
        "| Goal.lifecycleStatus | active | on-hold, completed, cancelled, entered-in-error |"
        in text
    )
    assert "| Consent.status | inactive | active (`patient`); entered-in-error |" in text


def test_no_cell_breaks_a_row() -> None:
    rows = [line for line in as_text.text().splitlines() if line.startswith("|")]
    widths = {}
    for line in as_text.text().splitlines():
        if line.startswith("### "):
            title = line
        elif line.startswith("|"):
            widths.setdefault(title, set()).add(line.count("|"))

    assert len(rows) > 150
    assert all(len(some) == 1 for some in widths.values())
    assert len({one.about for one in DECISIONS}) == len(DECISIONS)
    assert all(one.holds.endswith(".") for one in DECISIONS)
