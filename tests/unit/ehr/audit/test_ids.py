"""Ids of events: stable, opaque, and back to the place."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.audit.event import Place
from ehr.audit.ids import Ids
from ehr.store.engine import Database

_places = st.builds(
    Place, st.integers(-(2**27), 2**27 - 1), st.integers(0, 2**36 - 1), st.integers(1, 2**63 - 1)
)


@given(_places)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_id_leads_back_to_its_place(database: Database, place: Place) -> None:
    ids = Ids(database)

    assert ids.place(ids.of(place)) == place
    assert ids.of(place) == Ids(database).of(place)


def test_neighbours_have_nothing_in_common(database: Database) -> None:
    found = [Ids(database).of(Place(1, 1, n)) for n in range(1, 200)]

    assert len(set(found)) == len({one[:8] for one in found}) == len(found)


def test_what_is_no_id_has_no_place(database: Database) -> None:
    ids = Ids(database)

    for text in ("", "x", "g" * 32, "0" * 31, "ABCDEF" * 6, "0" * 33):
        assert ids.place(text) is None
