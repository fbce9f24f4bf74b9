"""`near` of Location: within a distance of a point on the globe (R4 SearchParameter Location-near).

"expressed as [latitude]|[longitude]|[distance]|[units] (using the WGS84 datum) … If the units are
omitted, then kms should be assumed. If the distance is omitted, then the server can use its own
discretion": that is `DISTANCE_KM` here. A distance is that of a great circle on a globe of the
earth's mean radius. A row has the point on a globe of radius 1 besides, where the straight line
between two points says how far apart they are; the index finds those in the right band of degrees.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import asin, cos, degrees, inf, pi, radians, sin
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, or_, true

from ehr.search.matching import MatchContext, RowAlias, any_of, check_modifier, missing, some_row
from ehr.search.parameters.number import as_float
from ehr.search.values.escapes import refuse, split
from ehr.store.rows import IndexRows
from ehr.store.tables import position
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter
from fhir_profiles.ucum import canonical

MODIFIERS = ("missing",)
DISTANCE_KM = 25
# Mean radius of the earth in metres, (2a + b) / 3 of WGS 84.
_RADIUS = 6_371_008.8
# Doubles tell points a few nanometres apart: no place is missed for its last digit.
_SLACK = 1e-15
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Circle:
    """All points within an angle (in radians) of a centre in degrees."""

    latitude: float
    longitude: float
    angle: float


def sink(leaf: Leaf) -> Sink | None:
    """Return the function that emits the row of a position; None for other elements."""
    return _emit if leaf.path == "Location.position" else None


def _emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    latitude, longitude = (as_float(value.get(name, inf)) for name in ("latitude", "longitude"))
    if abs(latitude) <= 90 and abs(longitude) <= 360:
        east = (longitude + 180) % 360 - 180
        rows.position.append((latitude, east, *_on_globe(latitude, east)))


def _on_globe(latitude: float, longitude: float) -> tuple[float, float, float]:
    north, east = radians(latitude), radians(longitude)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition that a location lies within one of the circles."""
    check_modifier(parameter, modifier, MODIFIERS)
    if modifier == "missing":
        return missing(position, row, parameter, values, context, lambda _: true())
    circles = [_read(parameter, value) for value in values]
    return some_row(position, row, context, lambda t: any_of([_inside(t, c) for c in circles]))


def _read(parameter: SearchParameter, value: str) -> _Circle:
    parts = split(parameter, value, "|")
    if not 2 <= len(parts) <= 4 or not all(map(_NUMBER.fullmatch, filter(None, parts[:3]))):
        raise refuse(parameter, value, "latitude|longitude|distance|units, such as 51.5|-0.1|5|km")
    latitude, longitude = (float(part or "nan") for part in parts[:2])
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise refuse(parameter, value, "a latitude from -90 to 90 and a longitude from -180 to 180")
    return _Circle(latitude, longitude, _metres(parameter, value, parts[2:]) / _RADIUS)


def _metres(parameter: SearchParameter, value: str, parts: Sequence[str]) -> float:
    distance, unit = (*parts, "", "")[:2]
    scale = canonical(unit or "km") if distance else canonical("km")
    if scale is None or scale.powers != (("m", 1),):
        raise refuse(parameter, value, "in a UCUM unit of length: km, m, [mi_i], [nmi_i], [ft_i] …")
    metres = scale.to_base(Fraction(distance or DISTANCE_KM))
    if metres < 0:
        raise refuse(parameter, value, "a distance of 0 or more")
    return metres


def _inside(t: FromClause, circle: _Circle) -> ColumnElement[bool]:
    if circle.angle >= pi:
        return true()
    x, y, z = _on_globe(circle.latitude, circle.longitude)
    line = 2 * sin(circle.angle / 2)
    apart = _sum_of_squares(t.c.x - x, t.c.y - y, t.c.z - z)
    return and_(_in_box(t, circle), apart <= (line + _SLACK) ** 2)


def _sum_of_squares(*sides: ColumnElement[float]) -> ColumnElement[float]:
    """Return the square of a straight line's length."""
    x, y, z = (side * side for side in sides)
    return x + y + z


def _in_box(t: FromClause, circle: _Circle) -> ColumnElement[bool]:
    """Return: between the southernmost and northernmost, westernmost and easternmost points."""
    reach = degrees(circle.angle) + 1e-9
    south, north = circle.latitude - reach, circle.latitude + reach
    band = t.c.latitude.between(max(south, -90.0), min(north, 90.0))
    if south <= -90 or north >= 90:
        return band  # a pole is inside, and with it every meridian
    wide = degrees(asin(min(1.0, sin(circle.angle) / cos(radians(circle.latitude))))) + 1e-9
    west, east = circle.longitude - wide, circle.longitude + wide
    if west < -180:
        return and_(band, or_(t.c.longitude >= west + 360, t.c.longitude <= east))
    if east >= 180:
        return and_(band, or_(t.c.longitude >= west, t.c.longitude <= east - 360))
    return and_(band, t.c.longitude.between(west, east))
