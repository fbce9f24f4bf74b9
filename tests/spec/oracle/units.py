"""UCUM units as factors and dimensions: as much of it as care records write.

FHIR R4 §3.1.1.4.11: "Such conversions can be performed based on the semantics defined in UCUM".
Temperatures in degrees have an offset and are left alone.
"""

import re
from collections import Counter
from fractions import Fraction
from functools import cache

_PREFIXES = {
    "": 0, "da": 1, "h": 2, "k": 3, "M": 6, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12,
}  # fmt: skip
# Unit: factor, dimensions, whether prefixes may be put before it.
_UNITS: dict[str, tuple[Fraction, dict[str, int], bool]] = {
    "g": (Fraction(1), {"g": 1}, True),
    "m": (Fraction(1), {"m": 1}, True),
    "s": (Fraction(1), {"s": 1}, True),
    "min": (Fraction(60), {"s": 1}, False),
    "h": (Fraction(3600), {"s": 1}, False),
    "d": (Fraction(86400), {"s": 1}, False),
    "wk": (Fraction(604800), {"s": 1}, False),
    "L": (Fraction(1, 1000), {"m": 3}, True),
    "l": (Fraction(1, 1000), {"m": 3}, True),
    "mol": (Fraction(1), {"mol": 1}, True),
    "m[Hg]": (Fraction(1), {"m[Hg]": 1}, True),
    "[IU]": (Fraction(1), {"[IU]": 1}, False),
    "%": (Fraction(1, 100), {}, False),
    "1": (Fraction(1), {}, False),
}
_FACTOR = re.compile(r"(.+?)(-?\d)?")

Canonical = tuple[Fraction, frozenset[tuple[str, int]]]


@cache
def canonical(code: str) -> Canonical | None:
    """Return the factor to base units and the dimensions of a unit; None where it is not known."""
    factor, dimensions = Fraction(1), Counter[str]()
    sign = 1
    for part in re.split(r"([./])", re.sub(r"\{[^}]*\}", "", code)):
        if part in ("", ".", "/"):
            sign = -1 if part == "/" else sign
            continue
        unit = _unit(part)
        if unit is None:
            return None
        factor *= unit[0] ** sign
        for name, power in unit[1].items():
            dimensions[name] += power * sign
        sign = 1
    return factor, frozenset((name, power) for name, power in dimensions.items() if power)


def _unit(text: str) -> tuple[Fraction, dict[str, int]] | None:
    found = _FACTOR.fullmatch(text)
    if text not in _UNITS and found and found[2]:
        inner, power = _unit(found[1]), int(found[2])
        if inner is None:
            return None
        return inner[0] ** power, {name: each * power for name, each in inner[1].items()}
    for prefix, exponent in _PREFIXES.items():
        known = _UNITS.get(text.removeprefix(prefix)) if text.startswith(prefix) else None
        if known and (not prefix or known[2]):
            return known[0] * Fraction(10) ** exponent, known[1]
    return None
