"""The table of what Inferno checks names tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "tests/api/oauth/inferno.md"
TESTS = ROOT / "tests"
ROWS = re.findall(
    r"^\| (?!Inferno|Group|Rule|---)(.+?) \| (.+) \|$", TABLE.read_text("utf-8"), re.M
)


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Return the names of all tests."""
    text = "\n".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    return set(re.findall(r"^def (test_\w+)\(", text, re.M))


@pytest.mark.parametrize(("row", "named"), ROWS, ids=[row for row, _ in ROWS])
def test_each_row_names_tests_that_there_are_or_says_why_not(
    row: str, named: str, known: set[str]
) -> None:
    tests = re.findall(r"`(test_\w+)`", named)

    assert tests or named.startswith("none"), row
    assert set(tests) <= known


def test_the_table_is_whole() -> None:
    assert len(ROWS) >= 60
