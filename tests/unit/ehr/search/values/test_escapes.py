"""Backslashes in values: a protected separator separates nothing."""

import pytest

from ehr.search.values.escapes import split, split_escaped
from fhir_profiles.search_parameters import for_type

CODE = for_type("Observation")["code"]


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("a|b", ["a", "b"]),
        ("|", ["", ""]),
        ("a", ["a"]),
        ("a|", ["a", ""]),
        (r"a\|b", ["a|b"]),
        (r"a\\|b", ["a\\", "b"]),
        ("a\\", ["a\\"]),
        (r"\a", ["a"]),
        (r"\,\$", [",$"]),
    ],
)
def test_split_heeds_escapes(value: str, parts: list[str]) -> None:
    assert split(CODE, value, "|") == parts


def test_split_for_a_composite_keeps_the_escapes_for_its_parts() -> None:
    assert split_escaped(CODE, r"s|a\$b$5\|", "$") == [r"s|a\$b", r"5\|"]
