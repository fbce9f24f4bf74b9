"""Synthea's populations load whole, come back as they were sent, and count as they should.

The quick tier takes the information bundles and four patients of each population, `slow` all of
2018 and fifteen of 2021, `full` everything; totals are asked where a population is whole.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.client import Client
from tests.spec import synthea
from tests.spec.synthea import NEW, OLD

if TYPE_CHECKING:
    from ehr.record import Record


def _chosen(population: str, patients: int) -> tuple[str, ...]:
    """Return the information bundles, small patients, and one of middle size."""
    every = synthea.names(population)
    general = tuple(name for name in every if name.startswith("0-"))
    people = every[len(general) :]
    if patients >= len(people):
        return every
    return (*general, *people[: patients - 1], people[len(people) // 2])


TIERS = [
    pytest.param(NEW, 4, id="four of 2021"),
    pytest.param(OLD, 4, id="four of 2018"),
    pytest.param(NEW, 15, id="fifteen of 2021", marks=pytest.mark.slow),
    pytest.param(OLD, 99, id="all of 2018", marks=pytest.mark.slow),
    pytest.param(NEW, 99, id="all of 2021", marks=pytest.mark.full),
]


class Population:
    """A loaded population: what was sent and where it is now, by bundle."""

    def __init__(self, client: Client, population: str, patients: int) -> None:
        self.client = client
        self.name = population
        wanted = _chosen(population, patients)
        self.is_whole = wanted == synthea.names(population)
        self.loaded: dict[str, list[tuple[synthea.Resource, str]]] = {}
        self.links: dict[str, dict[str, str]] = {}
        for name, data in synthea.bundles(population, wanted):
            self.loaded[name] = synthea.load(client, data)
            self.links[name] = synthea.links(self.loaded[name], data)
        self._conditional: dict[str, str] = {}

    def people(self) -> Iterator[tuple[str, list[tuple[synthea.Resource, str]]]]:
        """Yield each patient's bundle."""
        return ((name, some) for name, some in self.loaded.items() if not name.startswith("0-"))

    def places(self, name: str) -> dict[str, str]:
        """Return what each link of a bundle should have become."""
        places = dict(self.links[name])
        for resource, _ in self.loaded[name]:
            for text in synthea.conditional(resource):
                places[text] = self._matched(text)
        return places

    def _matched(self, text: str) -> str:
        if text not in self._conditional:
            found = self.client.read(text)["entry"]
            assert len(found) == 1, text
            self._conditional[text] = f"{text.partition('?')[0]}/{found[0]['resource']['id']}"
        return self._conditional[text]


@pytest.fixture
def population(request: pytest.FixtureRequest, client: Client) -> Population:
    """Load a population."""
    return Population(client, *request.param)


_EACH = pytest.mark.parametrize(
    "population",
    [pytest.param(tier.values, id=tier.id, marks=tier.marks) for tier in TIERS],
    indirect=True,
)


@_EACH
def test_a_population_comes_back_as_it_was_sent(
    population: Population, client: Client, record: "Record"
) -> None:
    for name, loaded in population.loaded.items():
        places = population.places(name)
        for sent, place in loaded:
            found = client.read(place)

            assert synthea.exact(found) == synthea.exact(synthea.relinked(sent, places)), place
    _check_everything(population)
    _check_totals(population)


def _check_everything(population: Population) -> None:
    """$everything gives all of a patient, with what that refers to, and nothing of another."""
    owned: dict[str, str] = {}
    for name, loaded in population.people():
        for sent, place in loaded:
            if sent["resourceType"] not in _SHARED:
                owned[place] = name
    for name, loaded in population.people():
        (patient,) = (place for sent, place in loaded if sent["resourceType"] == "Patient")
        found = _everything(population.client, f"{patient}/$everything?_count=1000")
        mine = {place for _, place in loaded}
        others = {place for place in found if owned.get(place, name) != name}

        assert mine - set(found) == set()
        assert others == set()
        referred = {text for one in found.values() for text in _references(one)}
        missing = {text for text in referred if text.partition("/")[0] in _SHARED} - set(found)
        assert missing == set()


_SHARED = ("Organization", "Practitioner", "PractitionerRole", "Location", "Medication")


def _everything(client: Client, path: str) -> dict[str, synthea.Resource]:
    found: dict[str, synthea.Resource] = {}
    while True:
        page = client.read(path)
        for entry in page.get("entry", []):
            resource = entry["resource"]
            found[f"{resource['resourceType']}/{resource['id']}"] = resource
        following = [one["url"] for one in page.get("link", []) if one["relation"] == "next"]
        if not following:
            return found
        path = following[0].partition("/fhir/")[2]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        text = value.get("reference")
        if isinstance(text, str) and "/" in text and ":" not in text and "#" not in text:
            yield text
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def _check_totals(population: Population) -> None:
    if not population.is_whole:
        return
    wrong = {}
    for request, total in synthea.expected(population.name):
        path, _, query = request.partition("?")
        encoded = quote(query, safe="=&:/$,")
        more = "" if "_summary=count" in query else "&_summary=count"
        found = population.client.read(f"{path}?{encoded}{more}")["total"]
        if found != total:
            wrong[request] = (found, total)
    assert wrong == {}
