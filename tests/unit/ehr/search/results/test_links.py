"""Links repeat what was understood, escaped where a query needs it."""

from ehr.search.grammar.query import parse
from ehr.search.request import Compartment
from ehr.search.results.links import page_address, search_address

BASE = "http://example.org/fhir"


def test_an_address_repeats_what_was_understood() -> None:
    found = parse(("Observation",), (("date", "ge2020-01-01T10:00:00+01:00"), ("code", "a&b|c#d")))

    assert search_address(BASE, found, 20) == (
        f"{BASE}/Observation?date=ge2020-01-01T10:00:00%2B01:00&code=a%26b%7Cc%23d"
    )


def test_the_page_size_is_the_one_in_use() -> None:
    found = parse(("Observation",), (("_count", "5000"),))

    assert search_address(BASE, found, 1000) == f"{BASE}/Observation?_count=1000"


def test_a_cursor_is_added() -> None:
    assert page_address(f"{BASE}/Patient", "abc") == f"{BASE}/Patient?_cursor=abc"
    assert page_address(f"{BASE}/Patient?a=b", "abc") == f"{BASE}/Patient?a=b&_cursor=abc"


def test_searches_over_types_and_compartments_keep_their_path() -> None:
    system = parse((), (("_type", "Patient"),))
    inside = parse(("Observation",), (), compartment=Compartment("Patient", "1", "Observation"))
    whole = parse(("Observation",), (), compartment=Compartment("Patient", "1"))

    assert search_address(BASE, system, 20) == f"{BASE}?_type=Patient"
    assert search_address(BASE, inside, 20) == f"{BASE}/Patient/1/Observation"
    assert search_address(BASE, whole, 20) == f"{BASE}/Patient/1/*"
