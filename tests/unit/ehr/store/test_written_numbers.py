"""Numbers that never change stand in the text of a kept statement, in place of a mark."""

import pytest

from ehr.store.templates import written_in

FIXED = {"n": 7, "less": -5, "large": 1 << 62}


@pytest.mark.parametrize(
    ("sql", "marks", "written", "left"),
    [
        ("a = ? AND b = ?", ("n", "x"), "a = 7 AND b = ?", ("x",)),
        ("a IN (?, ?, ?)", ("x", "n", "less"), "a IN (?, 7, (-5))", ("x",)),
        ("a BETWEEN ? AND ?", ("n", "n"), "a BETWEEN 7 AND 7", ()),
        ("a & ? > ?", ("n", "x"), "a & 7 > ?", ("x",)),
        ("a = $2 AND b = $1 AND c = $2", ("x", "n"), "a = 7 AND b = $1 AND c = 7", ("x",)),
        ("a = $1 AND b = $2 AND c = $1", ("n", "x"), "a = 7 AND b = $1 AND c = 7", ("x",)),
        ("a = $1::BIGINT", ("less",), "a = (-5)::BIGINT", ()),
        # PostgreSQL would take it for another type.
        ("a = ?", ("large",), "a = ?", ("large",)),
        # There it would be the number of a column.
        ("a = ? ORDER BY ?", ("n", "n"), "a = 7 ORDER BY ?", ("n",)),
        ("a = ? LIMIT ?", ("x", "n"), "a = ? LIMIT ?", ("x", "n")),
        # Not every mark is one.
        ("a = '?' AND b = ?", ("n",), "a = '?' AND b = ?", ("n",)),
    ],
)
def test_numbers_are_written(
    sql: str, marks: tuple[str, ...], written: str, left: tuple[str, ...]
) -> None:
    assert written_in(sql, marks, FIXED) == (written, left)
