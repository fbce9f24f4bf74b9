"""`near` of Location (R4 SearchParameter Location-near): true distances on the globe.

"expressed as [latitude]|[longitude]|[distance]|[units] (using the WGS84 datum, see notes). If the
units are omitted, then kms should be assumed."
"""

from collections.abc import Iterator
from math import acos, cos, radians, sin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.errors import Invalid
from tests.spec.indexed import Indexed, indexed

PLACES = {
    "edinburgh": (55.9533, -3.1883),
    "glasgow": (55.8642, -4.2518),
    "london": (51.5074, -0.1278),
    "suva": (-18.1416, 178.4419),
    "apia": (-13.8333, -171.7667),  # across the date line from Suva
    "pole": (90.0, 0.0),
    "alert": (82.5018, -62.3481),
    "antipode": (-55.9533, 176.8117),
    "wrapped": (10.0, 190.0),
}
EDINBURGH = "55.9533|-3.1883"


@pytest.fixture
def record(database_url: str) -> Iterator[Indexed]:
    with indexed(database_url, in_patient=False) as record:
        record.load(
            [
                *(_location(id, *place) for id, place in PLACES.items()),
                {"resourceType": "Location", "id": "nowhere"},
            ]
        )
        yield record


def _location(id: str, latitude: float, longitude: float) -> dict[str, object]:
    position = {"latitude": latitude, "longitude": longitude}
    return {"resourceType": "Location", "id": id, "position": position}


@pytest.mark.parametrize(
    ("near", "found"),
    [
        (EDINBURGH, "edinburgh"),  # 25 km where no distance is given
        (f"{EDINBURGH}|66", "edinburgh"),
        (f"{EDINBURGH}|68", "edinburgh glasgow"),
        (f"{EDINBURGH}|68|km", "edinburgh glasgow"),
        (f"{EDINBURGH}|66900|m", "edinburgh"),
        (f"{EDINBURGH}|67400|m", "edinburgh glasgow"),
        (f"{EDINBURGH}|42|[mi_i]", "edinburgh glasgow"),
        (f"{EDINBURGH}|41|[mi_i]", "edinburgh"),
        (f"{EDINBURGH}|0", "edinburgh"),
        (f"{EDINBURGH}|540", "edinburgh glasgow london"),
        (f"{EDINBURGH}||", "edinburgh"),
        (f"{EDINBURGH},51.5|-0.1|10", "edinburgh london"),
        ("-18|180|1300", "suva apia"),
        ("-18|-180|1300", "suva apia"),
        ("89.9|100|2000", "pole alert"),
        ("10|-170|1", "wrapped"),
        (f"{EDINBURGH}|30000", " ".join(PLACES)),
        ("1e1|-1.7e2|1", "wrapped"),
    ],
)
def test_what_is_near(record: Indexed, near: str, found: str) -> None:
    assert record.ids(f"Location?near={near}") == {f"Location/{id}" for id in found.split()}


def test_what_has_a_position(record: Indexed) -> None:
    assert record.ids("Location?near:missing=true") == {"Location/nowhere"}
    assert len(record.ids("Location?near:missing=false")) == len(PLACES)


@pytest.mark.parametrize(
    ("near", "said"),
    [
        ("55.9", "latitude|longitude"),
        ("a|b", "latitude|longitude"),
        ("1|2|3|km|5", "latitude|longitude"),
        ("|2|3", "latitude from -90"),
        ("91|0", "latitude from -90"),
        ("0|181", "longitude from -180"),
        ("0|0|5|kg", "UCUM unit of length"),
        ("0|0|5|miles", "UCUM unit of length"),
        ("0|0|-5", "0 or more"),
        ("nan|0", "latitude|longitude"),
    ],
)
def test_what_is_no_place_is_refused(record: Indexed, near: str, said: str) -> None:
    with pytest.raises(Invalid, match="near") as refused:
        record.ids(f"Location?near={near}")

    assert said in str(refused.value)


_latitudes = st.floats(-90, 90).map(lambda each: round(each, 4))
_longitudes = st.floats(-180, 180).map(lambda each: round(each, 4))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_latitudes, _longitudes, st.floats(1, 20_000).map(lambda each: round(each, 2)))
def test_any_circle_holds_what_the_law_of_cosines_says(
    record: Indexed, latitude: float, longitude: float, distance: float
) -> None:
    apart = {id: _kilometres((latitude, longitude), place) for id, place in PLACES.items()}
    clear = {id for id, each in apart.items() if abs(each - distance) > 0.01}

    found = {
        id.partition("/")[2]
        for id in record.ids(f"Location?near={latitude}|{longitude}|{distance}")
    }

    assert found & clear == {id for id in clear if apart[id] < distance}


def _kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    (a, b), (c, d) = (tuple(map(radians, each)) for each in (one, other))
    cosine = sin(a) * sin(c) + cos(a) * cos(c) * cos(b - d)
    return 6371.0088 * acos(max(-1.0, min(1.0, cosine)))
