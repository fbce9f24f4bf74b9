"""The leak suite: everybody, by every path, over random worlds; what comes back is permitted.

Issue 5, *Leak suite*. `tests/policy/leaks/README.md` says how; a seed is in what is printed, and
`python -m pytest -rP` shows the counts.
"""

from pathlib import Path

import pytest

from tests import engines
from tests.policy.leaks.measuring import ALL, FEW, MANY, WAYS, tallied, tallied_all
from tests.policy.leaks.mutations import unnoticed

pytestmark = pytest.mark.usefixtures("unlinted")


def test_what_comes_back_is_what_is_permitted(database_url: str) -> None:
    tally = tallied(database_url, FEW[0])

    print(tally)  # noqa: T201 - the counts are the finding
    failed = tally.fails(least=1_500, each=1, ways=WAYS)
    assert not failed, failed


@pytest.mark.slow
@pytest.mark.parametrize("engine", engines.chosen())
def test_what_comes_back_is_what_is_permitted_in_other_worlds(engine: str, tmp_path: Path) -> None:
    failed = tallied_all(engine, tmp_path, MANY).fails(least=10_000, each=5, ways=WAYS)

    assert not failed, failed


@pytest.mark.full
@pytest.mark.parametrize("engine", engines.chosen())
def test_a_hundred_thousand_answers_are_what_is_permitted(engine: str, tmp_path: Path) -> None:
    assert max(size.patients for size in ALL) >= 200

    failed = tallied_all(engine, tmp_path, ALL).fails(least=100_000, each=100, ways=WAYS)

    assert not failed, failed


@pytest.mark.full
@pytest.mark.parametrize("engine", engines.chosen())
def test_no_clause_can_go_unnoticed(engine: str, tmp_path: Path) -> None:
    assert not unnoticed(engine, tmp_path)
