"""What all clauses share: composites, parameters without an index, escapes."""

import pytest

from ehr.errors import Invalid, Unsupported
from ehr.search.matching import any_of, split, split_escaped
from fhir_profiles.search_parameters import for_type
from tests.unit.ehr.search.search_rows import sql

CODE = for_type("Observation")["code"]


def test_parts_of_a_composite_hold_on_one_resource() -> None:
    text = sql("Observation", "code-value-quantity", "http://loinc.org|1-8$gt5")

    assert text.count("FROM token") == text.count("FROM quantity") == 1
    assert " AND " in text


@pytest.mark.parametrize("value", ["a", "a$1$2", "a$", "$1"])
def test_composite_with_a_wrong_number_of_parts_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="Parameter"):
        sql("Observation", "code-value-quantity", value)


def test_composite_of_a_repeated_element_is_refused_until_it_can_be_answered() -> None:
    with pytest.raises(Unsupported, match="component-code-value-quantity"):
        sql("Observation", "component-code-value-quantity", "a$1")


@pytest.mark.parametrize("name", ["_content", "_text"])
def test_parameter_without_an_expression_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match=name):
        sql("Observation", name, "x")


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


def test_long_or_is_a_balanced_tree() -> None:
    from sqlalchemy import column

    text = str(any_of([column("c") == number for number in range(500)]))

    depth = deepest = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        deepest = max(deepest, depth)
    assert text.count(" OR ") == 499
    assert 3 <= deepest <= 10
