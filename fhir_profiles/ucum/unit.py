"""One unit as a factor, an offset and powers of base units; arithmetic is exact until the end."""

from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from math import inf

UCUM = "http://unitsofmeasure.org"

Number = Decimal | Fraction | int

# A double reaches from 1e-324 to 1e308; beyond this no factor brings a value back.
_WIDEST = 700
# A document may write a million digits: those that a double can tell are 17.
_DIGITS = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)
_FAR: int = 10**_WIDEST


def exact(value: Number) -> Fraction:
    """Return a number as a fraction, in bounded time: of 60 digits, none wider than any double."""
    return Fraction(*_ratio(value))


def _ratio(value: Number) -> tuple[int, int]:
    if not isinstance(value, Decimal) or -_WIDEST <= value.adjusted() <= _WIDEST:
        short = _DIGITS.plus(value) if isinstance(value, Decimal) else value
        return short.as_integer_ratio()
    if not value or value.adjusted() < 0:
        return 0, 1
    return _FAR if value > 0 else -_FAR, 1


@dataclass(frozen=True, slots=True)
class Unit:
    """A value in this unit is `value * numerator / denominator + offset` in base units.

    Only temperature scales have an offset. `powers` are those of the base units, in order of name.
    """

    numerator: int
    denominator: int
    powers: tuple[tuple[str, int], ...]
    offset: Fraction | None = None

    @property
    def base(self) -> str:
        """Return the base units as a code, such as `g.m-3`; `1` for a plain number."""
        return ".".join(f"{name}{'' if n == 1 else n}" for name, n in self.powers) or "1"

    @property
    def factor(self) -> Fraction:
        """Return how many base units one unit is, or how wide one degree."""
        return Fraction(self.numerator, self.denominator)

    def to_base(self, value: Number) -> float:
        """Return the double nearest to a value in base units, rounded once."""
        above, below = _ratio(value)
        above *= self.numerator
        below *= self.denominator
        if self.offset is not None:
            above = above * self.offset.denominator + self.offset.numerator * below
            below *= self.offset.denominator
        try:
            return above / below
        except OverflowError:
            return inf if above > 0 else -inf
