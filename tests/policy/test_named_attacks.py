"""Each known leak (L1 to L34) and each threat to access has a test that names it and attacks it."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LEAKS = [f"test_l{number:02}_" for number in range(1, 35)]
THREATS = [f"test_t{number}_" for number in (23, 25, 26, 27, 28, 29, 31, 38, 39, 40, 41)]


def _asserting() -> dict[str, str]:
    """Return the tests that assert something, with the module where they are."""
    found = {}
    for path in sorted((*TESTS.glob("policy/**/test_*.py"), *TESTS.glob("api/**/test_*.py"))):
        for one in ast.walk(ast.parse(path.read_text())):
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                inner = list(ast.walk(one))
                if any(isinstance(part, ast.Assert) for part in inner):
                    found[one.name] = path.name
    return found


NAMED = _asserting()


@pytest.mark.parametrize("prefix", [*LEAKS, *THREATS])
def test_it_is_attacked_by_name(prefix: str) -> None:
    assert [name for name in NAMED if name.startswith(prefix)], prefix
