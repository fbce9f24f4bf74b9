"""The counts that each tier of tests promises: `.ci/run --full` really takes them."""

import re
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from tests.faults import test_kill, test_killed_audit, test_killed_load, test_served_kill

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("profile", "examples"), [("quick", 20), ("ci", 200), ("full", 5000)])
def test_a_profile_takes_its_examples(profile: str, examples: int) -> None:
    assert hypothesis.settings.get_profile(profile).max_examples == examples


def test_no_test_takes_fewer_examples_than_its_profile() -> None:
    asked = [
        (path.name, line)
        for path in (ROOT / "tests").rglob("test_*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"max_examples=\w*\d", line) and path.name != Path(__file__).name
    ]

    assert all("max(" in line for _, line in asked), asked


def test_the_script_asks_for_everything() -> None:
    script = (ROOT / ".ci/run").read_text("utf-8")

    assert '--full) marks="" profile=full' in script
    assert '-m "$marks" --hypothesis-profile "$profile"' in script


@pytest.mark.parametrize(
    ("test", "count"),
    [
        (test_kill.test_a_killed_writer_loses_nothing_and_leaves_nothing_half_done, 50),
        (test_killed_audit.test_what_was_acknowledged_is_in_the_trail, 50),
        (test_served_kill.test_a_killed_server_has_kept_all_that_it_acknowledged, 50),
        (test_served_kill.test_a_killed_postgresql_has_kept_all_that_was_acknowledged, 50),
        (test_killed_load.test_a_killed_load_is_whole_and_exact_when_given_again, 20),
    ],
)
def test_full_kills_as_often_as_promised(test: Callable[..., None], count: int) -> None:
    [kills] = [mark for mark in test.pytestmark if mark.args and mark.args[0] == "kills"]
    counts = {one.values[0]: {mark.name for mark in one.marks} for one in kills.args[1]}

    assert counts[count] == {"full"}
    assert any(marks <= {"slow"} for marks in counts.values())  # and a few in every run of .ci/run
