"""What clauses hand over: composites to their parts, parameters without an index to nobody."""

import pytest

from ehr.errors import Invalid
from tests.unit.ehr.search.search_rows import sql


def test_parts_of_a_composite_hold_on_one_resource() -> None:
    text = sql("Observation", "code-value-quantity", "http://loinc.org|1-8$gt5")

    assert text.count("FROM token") == text.count("FROM quantity") == 1
    assert " AND " in text


@pytest.mark.parametrize("value", ["a", "a$1$2", "a$", "$1"])
def test_composite_with_a_wrong_number_of_parts_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="Parameter"):
        sql("Observation", "code-value-quantity", value)


def test_parts_of_a_repeated_element_meet_in_one_of_them() -> None:
    text = sql("Observation", "component-code-value-quantity", "a$1")

    assert "(part0.patient_key, part0.rid, part0.element) IN (SELECT part1.patient_key" in text


@pytest.mark.parametrize("name", ["_content", "_text"])
def test_parameter_without_an_expression_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match=name):
        sql("Observation", name, "x")
