"""UCUM: what units are in base units, exactly, and what is no unit at all."""

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.ucum import canonical, definitions, exact


@pytest.mark.parametrize(
    ("code", "factor", "base"),
    [
        ("mg", Fraction(1, 1000), "g"),
        ("mmol/L", 1, "m-3.mol"),
        ("meq/l", 1, "m-3.mol"),
        ("mm[Hg]", 133322, "g.m-1.s-2"),
        ("kPa", 10**6, "g.m-1.s-2"),
        ("cm[H2O]", Fraction("98066.5"), "g.m-1.s-2"),
        ("10*9/L", 10**12, "m-3"),
        ("10^9/L", 10**12, "m-3"),
        ("{cells}/uL", 10**9, "m-3"),
        ("/min", Fraction(1, 60), "s-1"),
        ("{beats}/min", Fraction(1, 60), "s-1"),
        ("mL/min/{1.73_m2}", Fraction(1, 60_000_000), "m3.s-1"),
        ("10.L/(min.m2)", Fraction(1, 6000), "m.s-1"),
        ("kg/m2", 1000, "g.m-2"),
        ("U/L", Fraction(1, 60_000), "m-3.mol.s-1"),
        ("m[IU]/L", 1, "[iU].m-3"),
        ("[lb_av]", Fraction("453.59237"), "g"),
        ("[in_i]", Fraction("0.0254"), "m"),
        ("[degF]", Fraction(5, 9), "K"),
        ("mo", Fraction("2629800"), "s"),
        ("%", Fraction(1, 100), "1"),
        ("{score}", 1, "1"),
        ("1", 1, "1"),
        ("2.54", 108, "1"),  # a point multiplies
        ("dB", Fraction(1, 10), "B"),
        ("[pH]", 1, "[pH]"),
        ("cd", 1, "cd"),  # no centi-day
        ("Pa", 1000, "g.m-1.s-2"),  # no peta-year
    ],
)
def test_unit_in_base_units(code: str, factor: Fraction | int, base: str) -> None:
    unit = canonical(code)

    assert unit is not None
    assert (unit.factor, unit.base) == (factor, base)


@pytest.mark.parametrize(
    "code",
    [
        "", "xyz", "MGG", "m//s", "m(2)", "(m", "m)", "{a}mg", "mg ", "µg", "Cel/min", "[degF]2",
        "k[lb_av]", "0", "m{", "m" * 300, "(" * 150, "m2.", "1.5e3", "\u0661",
    ],
)  # fmt: skip
def test_what_is_no_unit(code: str) -> None:
    assert canonical(code) is None


def test_every_unit_of_the_table_is_understood_with_its_prefixes() -> None:
    assert len(definitions.units()) == 309
    for code, definition in definitions.units().items():
        assert canonical(code) is not None, code
        assert (canonical(f"n{code}") is not None) >= definition.metric, code


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("5.4", "mg"), ("5400", "ug")),
        (("37", "Cel"), ("98.6", "[degF]")),
        (("-40", "Cel"), ("-40", "[degF]")),
        (("0", "K"), ("-273.15", "Cel")),
        (("37000", "mCel"), ("310.15", "K")),
        (("1", "[lb_av]"), ("16", "[oz_av]")),
        (("6", "[ft_i]"), ("182.88", "cm")),
        (("1", "d"), ("1440", "min")),
        (("60", "{beats}/min"), ("1", "Hz")),
        (("140", "meq/L"), ("140", "mmol/L")),
    ],
)
def test_equal_amounts_become_the_same_double(one: tuple[str, str], other: tuple[str, str]) -> None:
    first, second = canonical(one[1]), canonical(other[1])

    assert first is not None
    assert second is not None
    assert first.base == second.base
    assert first.to_base(Decimal(one[0])) == second.to_base(Decimal(other[0]))


def test_amounts_of_substance_and_arbitrary_units_are_not_counts() -> None:
    bases = {code: getattr(canonical(code), "base", None) for code in ("mol", "1", "[IU]", "[CFU]")}

    assert len(set(bases.values())) == 4


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, max_value=10**9, min_value=0))
def test_a_thousandfold_smaller_unit_of_a_thousandfold_number_is_the_same(value: Decimal) -> None:
    mg, ug = canonical("mg"), canonical("ug")

    assert mg is not None
    assert ug is not None
    assert mg.to_base(value) == ug.to_base(value * 1000)


@pytest.mark.parametrize(
    ("text", "double"),
    [("1e999999999", inf), ("-1e999999999", -inf), ("1e-999999999", 0.0), ("0e999999999", 0.0)],
)
def test_numbers_beyond_all_doubles_cost_nothing(text: str, double: float) -> None:
    unit = canonical("mg")

    assert unit is not None
    assert unit.to_base(Decimal(text)) == double


def test_digits_beyond_sixty_are_rounded() -> None:
    assert exact(Decimal("0." + "3" * 100_000)) == Fraction(int("3" * 60), 10**60)


def test_nothing_is_read_before_a_unit_is_asked_for() -> None:
    code = (
        "import fhir_profiles.ucum, sys; "
        "assert not fhir_profiles.ucum.definitions._root.cache_info().currsize; "
        "assert 'xml.etree.ElementTree' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
