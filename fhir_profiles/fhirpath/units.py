"""UCUM units reduced to base units: enough to compare and multiply clinical quantities.

The Unified Code for Units of Measure, case sensitive. Covers metric prefixes, products, quotients,
exponents, annotations in braces and the units of everyday care; a unit with an offset (Cel,
[degF]) or a logarithm and anything unknown stands for itself only.
"""

import re
from decimal import Decimal
from functools import lru_cache

Dimensions = tuple[tuple[str, int], ...]


@lru_cache(maxsize=1024)
def reduce_unit(code: str) -> tuple[Decimal, Dimensions] | None:
    """Return the factor to base units and the powers of those; None when it is not understood."""
    if len(code) > 64:
        return None
    factor, powers, sign = Decimal(1), dict[str, int](), 1
    for part in _SPLIT.split(_ANNOTATION.sub("", code) or "1"):
        if part in (".", "/"):
            sign = 1 if part == "." else -1
            continue
        found = _component(part)
        if found is None:
            # "/min" starts with an empty component; an annotation alone is the unit one.
            if part:
                return None
            continue
        size, dimensions, exponent = found
        exponent *= sign
        factor *= size**exponent
        for base, power in dimensions:
            powers[base] = powers.get(base, 0) + power * exponent
    return factor, tuple(sorted((base, power) for base, power in powers.items() if power))


def _component(text: str) -> tuple[Decimal, Dimensions, int] | None:
    if text.isdecimal():
        return Decimal(text), (), 1
    match = _COMPONENT.fullmatch(text)
    if match is None:
        return None
    atom, exponent = match.group(1), int(match.group(2) or 1)
    if atom.startswith(("10*", "10^")):
        return Decimal(10), (), exponent
    if atom in _UNITS:
        return *_UNITS[atom], exponent
    for size in (2, 1):
        prefix, rest = atom[:size], atom[size:]
        if prefix in _PREFIXES and rest in _METRIC:
            factor, dimensions = _UNITS[rest]
            return factor * _PREFIXES[prefix], dimensions, exponent
    return None


_ANNOTATION = re.compile(r"\{[^{}]*\}")
_SPLIT = re.compile(r"([./])")
_COMPONENT = re.compile(r"(10[*^]|\[[^\]]*\]|[A-Za-z%'\"]+(?:\[[^\]]*\])?)([+-]?\d{1,2})?")

_PREFIXES = {
    name: Decimal(10) ** power
    for name, power in {
        "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
        "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18,
    }.items()
}  # fmt: skip


def _table(text: str) -> tuple[dict[str, tuple[Decimal, Dimensions]], frozenset[str]]:
    units: dict[str, tuple[Decimal, Dimensions]] = {}
    metric = set()
    for row in re.split(r"[|\n]", text.strip()):
        name, factor, bases = row.split()
        if name.startswith("*"):
            name = name[1:]
            metric.add(name)
        powers = {match.group(1): int(match.group(2) or 1) for match in _BASE.finditer(bases)}
        units[name] = Decimal(factor), tuple(sorted(powers.items()))
    return units, frozenset(metric)


_BASE = re.compile(r"([A-Za-z]+)(-?[0-9])?")

# Unit, factor, base units. A star marks metric units: those that take prefixes. Base units here are
# m g s K cd C rad, and mol, which UCUM reduces to a number; keeping it apart stops 1 mol from
# being comparable with 6.02e23. International and enzyme units stand for themselves.
_UNITS, _METRIC = _table(
    """
    1 1 1 | % 0.01 1 | [ppth] 0.001 1 | [ppm] 0.000001 1 | *m 1 m | *g 1 g | *s 1 s | *K 1 K
    *cd 1 cd | *C 1 C | *rad 1 rad | *mol 1 mol | *eq 1 eq | *osm 1 osm | *[iU] 1 iU
    *[IU] 1 iU | *U 1 U | [arb'U] 1 arbU | *kat 1 mol.s-1 | min 60 s | h 3600 s | d 86400 s
    wk 604800 s | a 31557600 s | mo 2629800 s | *l 0.001 m3 | *L 0.001 m3 | *ar 100 m2
    *t 1000000 g | *u 1.6605402e-24 g | *bar 1e8 g.m-1.s-2 | *Hz 1 s-1 | *N 1000 g.m.s-2
    *Pa 1000 g.m-1.s-2 | *J 1000 g.m2.s-2 | *W 1000 g.m2.s-3 | *A 1 C.s-1
    *V 1000 C-1.g.m2.s-2 | *Ohm 1000 C-2.g.m2.s-1 | *F 0.001 C2.g-1.m-2.s2
    *S 0.001 C2.g-1.m-2.s | *Wb 1000 C-1.g.m2.s-1 | *T 1000 C-1.g.s-1 | *Gy 1 m2.s-2
    *Sv 1 m2.s-2 | *Bq 1 s-1 | *lm 1 cd | *lx 1 cd.m-2 | *cal 4184 g.m2.s-2
    [Cal] 4184000 g.m2.s-2 | *m[H2O] 9806650 g.m-1.s-2 | *m[Hg] 133322000 g.m-1.s-2
    deg 0.017453292519943296 rad | [in_i] 0.0254 m | [ft_i] 0.3048 m | [yd_i] 0.9144 m
    [mi_i] 1609.344 m | [sin_i] 0.00064516 m2 | [sft_i] 0.09290304 m2
    [cin_i] 0.000016387064 m3 | [lb_av] 453.59237 g | [oz_av] 28.349523125 g
    [dr_av] 1.7718451953125 g | [gr] 0.06479891 g | [stone_av] 6350.29318 g
    [gal_us] 0.003785411784 m3 | [pt_us] 0.000473176473 m3 | [qt_us] 0.000946352946 m3
    [foz_us] 0.0000295735295625 m3 | [cup_us] 0.0002365882365 m3
    [tbs_us] 0.00001478676478125 m3 | [tsp_us] 0.00000492892159375 m3
    [psi] 6894757.293168 g.m-1.s-2 | [drp] 0.00000005 m3 | dB 1 dB | [pH] 1 pH
    """
)
