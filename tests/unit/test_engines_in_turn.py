"""Tests that take turns: each case runs on one engine, and each engine runs some of each file."""

import subprocess
import sys

import pytest

from tests.engines_in_turn import OPTION, others_turn

BOTH = ("sqlite", "postgresql")


@pytest.mark.parametrize("engines", [BOTH, BOTH[::-1]])
def test_each_case_runs_once_and_each_engine_in_turn(engines: tuple[str, ...]) -> None:
    tests = [("a::f", {"database_url": engine, "n": n}) for n in range(4) for engine in engines]

    out = set(others_turn(tests))

    left = [
        (case["n"], case["database_url"]) for at, (_, case) in enumerate(tests) if at not in out
    ]
    assert left == [(0, "sqlite"), (1, "postgresql"), (2, "sqlite"), (3, "postgresql")]


def test_tests_of_a_file_take_turns() -> None:
    tests = [(f"a::{f}", {"database_url": engine}) for f in "fgh" for engine in BOTH]

    assert list(others_turn(tests)) == [1, 2, 5]


def test_tests_without_a_database_all_run() -> None:
    assert list(others_turn([("a::f", {"n": n}) for n in range(3)] + [("a::g", {})])) == []


def test_of_a_real_file_each_case_is_left_once() -> None:
    every, left = _collected(), _collected(OPTION)

    assert len(every) == 2 * len(left)
    assert sorted(map(_case, left)) == sorted({_case(one) for one in every})


def _collected(*options: str) -> list[str]:
    file = "tests/api/signing_in/test_staff_policy.py"
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-q", *options, file]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if "::" in line]


def _case(id: str) -> str:
    for engine in BOTH:
        id = id.replace(engine, "", 1)
    return id
