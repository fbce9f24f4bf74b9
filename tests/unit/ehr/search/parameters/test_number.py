"""Number and quantity parameters: rows, precision of a search, prefixes, units, refusals."""

from decimal import Decimal
from math import inf, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.errors import Invalid
from ehr.search.parameters.number import as_float, read_number
from fhir_profiles.search_parameters import for_type
from tests.unit.ehr.search.search_rows import HASHER, of_param, rows_of, sql

PROBABILITY = for_type("RiskAssessment")["probability"]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("5.4", 5.35, 5.45),
        ("5.40", 5.395, 5.405),
        ("100", 99.5, 100.5),
        ("1e2", 50.0, 150.0),
        ("1.00e2", 99.5, 100.5),
        ("2e-3", 0.0015, 0.0025),
        ("-5", -5.5, -4.5),
        ("+5", 4.5, 5.5),
        ("0", -0.5, 0.5),
        ("0.0", -0.05, 0.05),
    ],
)
def test_equality_is_to_the_precision_given(text: str, low: float, high: float) -> None:
    search = read_number(PROBABILITY, text)

    assert (search.prefix, search.low, search.high) == ("eq", low, high)


def test_approximately_takes_a_tenth_but_never_less_than_the_precision() -> None:
    wide, narrow = read_number(PROBABILITY, "ap100"), read_number(PROBABILITY, "ap1")

    assert (wide.low, wide.high) == (90.0, 110.0)
    assert (narrow.low, narrow.high) == (0.5, 1.5)


@pytest.mark.parametrize(
    "value",
    [
        "five",
        "1e",
        "--5",
        "0x10",
        "NaN",
        "inf",
        "5.",
        ".5",
        "ge",
        "xx5",
        "\u0665",
        "1e9999",
        "5 ",
        "1_000",
    ],
)
def test_malformed_number_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="probability"):
        sql("RiskAssessment", "probability", value)


def test_number_beyond_every_double_is_kept_as_infinite() -> None:
    assert as_float(10**400) == inf
    assert as_float(-(10**400)) == -inf
    assert as_float(Decimal("1e400")) == inf
    assert as_float(Decimal("0.1")) == 0.1


def test_probability_takes_decimal_and_range() -> None:
    rows = rows_of(
        {
            "resourceType": "RiskAssessment",
            "prediction": [
                {"probabilityDecimal": Decimal("0.20")},
                {"probabilityRange": {"low": {"value": 1}, "high": {"value": 3}}},
                {"probabilityRange": {"high": {"value": 3}}},
                {"probabilityRange": {}},
            ],
        }
    )

    assert of_param(rows.quantity, "RiskAssessment.probability") == [
        (0.2, 0.2, 0, 0, 0, 0, 0.0, 0.0),
        (1.0, 3.0, 0, 0, 0, 0, 0.0, 0.0),
        (-inf, 3.0, 0, 0, 0, 0, 0.0, 0.0),
    ]


@pytest.mark.parametrize(
    ("comparator", "low", "high"),
    [
        (None, 5.0, 5.0),
        ("<", -inf, nextafter(5.0, -inf)),
        ("<=", -inf, 5.0),
        (">=", 5.0, inf),
        (">", nextafter(5.0, inf), inf),
    ],
)
def test_stored_comparator_makes_a_range(comparator: str | None, low: float, high: float) -> None:
    value = {"value": 5, "system": "s", "code": "c", "unit": "u"}
    if comparator:
        value["comparator"] = comparator
    rows = rows_of({"resourceType": "Observation", "valueQuantity": value})

    units = tuple(HASHER.text(name) for name in "scu")
    assert of_param(rows.quantity, "Observation.value-quantity") == [
        (low, high, *units, 0, 0.0, 0.0)
    ]


def test_quantity_without_a_value_has_no_row() -> None:
    rows = rows_of({"resourceType": "Observation", "valueQuantity": {"unit": "kg"}})

    assert rows.quantity == []


def test_sampled_data_runs_from_its_smallest_to_its_largest_point() -> None:
    sampled = {
        "origin": {"value": 10, "unit": "mV"},
        "factor": Decimal("-0.5"),
        "data": "2 E 4 L U -6 x",
    }
    rows = rows_of({"resourceType": "Observation", "valueSampledData": sampled})

    # No composite parameter means sampled data.
    (apart,) = rows.parts
    assert apart.element == -1
    assert of_param(apart.quantity, "Observation.value-quantity") == [
        (8.0, 13.0, 0, 0, HASHER.text("mV"), 0, 0.0, 0.0)
    ]


@pytest.mark.parametrize("data", ["", "E E", None])
def test_sampled_data_without_points_has_no_row(data: str | None) -> None:
    sampled = {"origin": {"value": 1}} | ({} if data is None else {"data": data})

    assert rows_of({"resourceType": "Observation", "valueSampledData": sampled}).quantity == []


@pytest.mark.parametrize(
    ("factor", "high"), [("1e400", inf), ("1e999999999", inf), ("1e-999999999", 0.0)]
)
def test_sampled_data_beyond_all_doubles_is_infinite(factor: str, high: float) -> None:
    sampled = {"origin": {"value": 0}, "factor": Decimal(factor), "data": "0 1"}
    (apart,) = rows_of({"resourceType": "Observation", "valueSampledData": sampled}).parts

    assert of_param(apart.quantity, "Observation.combo-value-quantity")[0][:2] == (0.0, high)


def test_money_has_its_currency_for_unit() -> None:
    rows = rows_of({"resourceType": "Invoice", "totalGross": {"value": 7, "currency": "GBP"}})

    currency = HASHER.text("GBP")
    assert of_param(rows.quantity, "Invoice.totalgross") == [
        (7.0, 7.0, HASHER.text("urn:iso:std:iso:4217"), currency, currency, 0, 0.0, 0.0)
    ]


@pytest.mark.parametrize("value", ["5|kg", "5|a|b|c", "||kg", "5||", "|", "kg"])
def test_malformed_quantity_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="value-quantity"):
        sql("Observation", "value-quantity", value)


def test_unit_text_counts_only_without_a_system() -> None:
    with_system = sql("Observation", "value-quantity", "5|s|kg")
    without = sql("Observation", "value-quantity", "5||kg")

    assert ".unit" not in with_system
    assert ".unit" in without


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**6), max_value=10**6
    )
)
def test_a_number_lies_in_its_own_range(number: Decimal) -> None:
    search = read_number(PROBABILITY, f"{number:f}")

    assert search.low <= float(number) < search.high
