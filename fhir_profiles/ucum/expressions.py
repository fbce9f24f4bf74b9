"""UCUM codes taken apart: terms, components, exponents, annotations (UCUM §§4-12, the grammar).

A component is a number, a unit with its exponent, an annotation or a term in parentheses, joined by
`.` and `/` from left to right. What is not in the table, or no code, has no unit.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from fhir_profiles.ucum.definitions import SCALES, prefixes, units
from fhir_profiles.ucum.unit import Unit

Powers = Mapping[str, int]
Product = tuple[Fraction, Powers]

_LONGEST = 200
_TOKEN = re.compile(
    r"\{[!-z|~]*\}|[./()]|(10[*^]|(?:\[[^][]*\]|[!-~](?<![][\d./(){}+-]))+)([+-]?\d{1,3})?|\d{1,15}",
    re.ASCII,
)
_ONE: Product = (Fraction(1), {})


class _Unknown(Exception):
    """A code that UCUM does not have."""


# Texts come from callers: kept in a bounded number.
@lru_cache(maxsize=4096)
def canonical(code: str) -> Unit | None:
    """Return the unit of a code; None where UCUM has no such code."""
    scale = _temperature(code)
    if scale is not None:
        return scale
    try:
        factor, powers = _Reader(code).whole()
    except _Unknown:
        return None
    present = tuple(sorted((name, power) for name, power in powers.items() if power))
    return Unit(factor.numerator, factor.denominator, present)


def _temperature(code: str) -> Unit | None:
    # UCUM §21: a unit on a scale with an offset takes a prefix, and no part in any product.
    bare = _ANNOTATION.sub("", code)
    for name, (degree, zero) in SCALES.items():
        if bare == name:
            return Unit(degree.numerator, degree.denominator, (("K", 1),), zero)
        prefix = prefixes().get(bare.removesuffix(name)) if bare.endswith(name) else None
        if name == "Cel" and prefix:
            width = degree * prefix
            return Unit(width.numerator, width.denominator, (("K", 1),), zero)
    return None


_ANNOTATION = re.compile(r"\{[!-z|~]*\}$")


class _Reader:
    """A recursive descent over the tokens of one code."""

    def __init__(self, code: str) -> None:
        if len(code) > _LONGEST:
            raise _Unknown
        self._tokens: list[re.Match[str]] = []
        at = 0
        while at < len(code):
            match = _TOKEN.match(code, at)
            if not match:
                raise _Unknown
            self._tokens.append(match)
            at = match.end()
        self._at = 0

    def whole(self) -> Product:
        found = self._term()
        if self._peek():
            raise _Unknown
        return found

    def _term(self) -> Product:
        total = _ONE
        divides = self._peek() == "/"
        if divides:
            self._at += 1
        while True:
            total = _times(total, self._component(), -1 if divides else 1)
            if self._peek() not in (".", "/"):
                return total
            divides = self._peek() == "/"
            self._at += 1

    def _component(self) -> Product:
        text = self._peek()
        if text == "(":
            self._at += 1
            found = self._term()
            if self._peek() != ")":
                raise _Unknown
            self._at += 1
        elif text.startswith("{"):
            self._at += 1
            return _ONE
        else:
            found = self._simple()
        if self._peek().startswith("{"):
            self._at += 1
        return found

    def _simple(self) -> Product:
        text = self._peek()
        if not text or text in ("/", ".", ")"):
            raise _Unknown
        match = self._tokens[self._at]
        self._at += 1
        if match[1] is None:
            number = int(text)
            if not number:
                raise _Unknown
            return Fraction(number), {}
        return _power(_atom(match[1]), int(match[2] or 1))

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""


@lru_cache(maxsize=1024)
def _atom(text: str) -> Product:
    """Return what a unit with or without a prefix is; its own name is longest (`cd` no centi-d)."""
    if text in units():
        return _defined(text)
    for size in (2, 1):
        definition, prefix = units().get(text[size:]), prefixes().get(text[:size])
        if prefix and definition and definition.metric:
            factor, powers = _defined(text[size:])
            return factor * prefix, powers
    raise _Unknown


def _defined(name: str) -> Product:
    definition = units()[name]
    if definition.unit is None:
        return Fraction(1), {name: 1}
    factor, powers = _Reader(definition.unit).whole()
    return factor * definition.value, powers


def _power(product: Product, exponent: int) -> Product:
    factor, powers = product
    return factor**exponent, {name: power * exponent for name, power in powers.items()}


def _times(left: Product, right: Product, sign: int) -> Product:
    factor, powers = _power(right, sign)
    names = dict.fromkeys((*left[1], *powers))
    return left[0] * factor, {name: left[1].get(name, 0) + powers.get(name, 0) for name in names}
