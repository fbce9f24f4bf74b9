"""How far a place is: the special parameter `near` of Location.

FHIR R4 location.html: "a longitude/latitude pair with a distance", `latitude|longitude|distance|
units`; "if the units are omitted, then kms should be assumed".
"""

import math

from tests.spec.oracle.elements import Element
from tests.spec.oracle.texts import split, unescape

_EARTH = 6_371.0  # km, its mean radius
_UNITS = {"": 1.0, "km": 1.0, "m": 0.001}


def is_near(text: str, position: Element) -> bool:
    """Tell whether a position is within the distance asked for."""
    parts = [unescape(part) for part in split(text, "|")]
    latitude, longitude, distance = (float(part) for part in parts[:3])
    unit = _UNITS[parts[3] if len(parts) > 3 else ""]
    here = (float(position.value["latitude"]), float(position.value["longitude"]))
    return _kilometres((latitude, longitude), here) <= distance * unit


def _kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the length of the great circle between two points."""
    a, b = (tuple(math.radians(each) for each in point) for point in (one, other))
    cosine = math.sin(a[0]) * math.sin(b[0]) + math.cos(a[0]) * math.cos(b[0]) * math.cos(
        a[1] - b[1]
    )
    return _EARTH * math.acos(max(-1.0, min(1.0, cosine)))
