"""`--engines-in-turn`: each test and each case of its table runs on one engine, in turn.

Both engines meet every file of tests, and every case runs once. The README's command asks for it;
`.ci/run` runs every case on every engine.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from tests import engines

OPTION = "--engines-in-turn"
_ENGINE = "database_url"  # the fixture whose parameter is the engine


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take those out of the collected tests that it is another engine's turn to run."""
    if len(engines.chosen()) < len(engines.ALL):
        return
    out = set(others_turn((item.nodeid.partition("[")[0], _parameters(item)) for item in items))
    config.hook.pytest_deselected(items=[item for at, item in enumerate(items) if at in out])
    items[:] = [item for at, item in enumerate(items) if at not in out]


def others_turn(tests: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[int]:
    """Give the places of those that are left out, of tests named `file::function`, and their case.

    A case is told by its parameters but the engine.
    """
    turns: dict[str, dict[str, int]] = {}
    for at, (name, parameters) in enumerate(tests):
        if _ENGINE not in parameters:
            continue
        case = repr([(one, value) for one, value in parameters.items() if one != _ENGINE])
        of_file = turns.setdefault(name.partition("::")[0], {})
        turn = of_file.setdefault(name + case, len(of_file))
        if engines.ALL[turn % len(engines.ALL)] != parameters[_ENGINE]:
            yield at


def _parameters(item: pytest.Item) -> Mapping[str, Any]:
    spec = getattr(item, "callspec", None)
    if spec is None:
        return {}
    # Cases that differ by the engine alone have the same values; their indices differ.
    same = {one: id(value) for one, value in spec.params.items() if one != _ENGINE}
    return {**same, **{one: spec.params[one] for one in spec.params if one == _ENGINE}}
