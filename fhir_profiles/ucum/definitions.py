"""The official table of prefixes and units (`ucum-essence.xml`, see NOTICE).

Units on a scale of their own, arbitrary units and logarithms, stand for themselves: UCUM §24
"arbitrary units are not of any specific dimension and are not commensurable with any other unit".
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_TABLE = Path(__file__).parent / "ucum-essence.xml"
_SPACE = "{http://unitsofmeasure.org/ucum-essence}"

# Amounts of substance are numbers for UCUM. Kept apart here, so that 1 mol is compared with other
# amounts of substance and never with a plain count.
_APART = frozenset({"mol"})

# The three temperature scales (UCUM §22, functions Cel, degF, degRe): width of a degree and zero,
# both in kelvin.
SCALES = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    "[degRe]": (Fraction(5, 4), Fraction("273.15")),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """A unit is `value` times `unit`; without a `unit` it stands for itself."""

    value: Fraction
    unit: str | None
    metric: bool


@cache
def prefixes() -> dict[str, Fraction]:
    """Return the factors of the prefixes by code, such as `m` and `Ki`."""
    return {
        each.attrib["Code"]: Fraction(_value(each)["value"])
        for each in _root().iter(f"{_SPACE}prefix")
    }


@cache
def units() -> dict[str, Definition]:
    """Return all units by code, those of temperature scales left out."""
    found = {
        each.attrib["Code"]: Definition(Fraction(1), None, metric=True)
        for each in _root().iter(f"{_SPACE}base-unit")
    }
    for each in _root().iter(f"{_SPACE}unit"):
        code, value = each.attrib["Code"], _value(each)
        if code in SCALES:
            continue
        arbitrary = each.get("isArbitrary") == "yes" and value["Unit"] == "1"
        itself = arbitrary or each.get("isSpecial") == "yes" or code in _APART
        found[code] = Definition(
            Fraction(1) if itself else Fraction(value["value"]),
            None if itself else value["Unit"],
            metric=each.get("isMetric") == "yes",
        )
    return found


def _value(element: "Element") -> dict[str, str]:
    found = element.find(f"{_SPACE}value")
    assert found is not None, element.attrib
    return found.attrib


@cache
def _root() -> "Element":
    # Not before a unit is asked for: few commands need it.
    from xml.etree import ElementTree

    return ElementTree.parse(_TABLE).getroot()  # noqa: S314  our own file, part of the package
