"""How much one search may ask: so many references followed, over all its conditions."""

import pytest

from ehr.errors import TooCostly
from ehr.search.grammar.query import parse
from ehr.search.grammar.weights import MAXIMUM_FOLLOWED


@pytest.mark.parametrize(
    ("name", "each"),
    [
        ("subject:Patient.name", 1),
        ("encounter.service-provider.name", 1),
        ("_has:Provenance:target:agent", 1),
        ("_has:Provenance:target:agent:Organization.name", 1),
        ("performer.name", 4),  # as Organization, Patient, Practitioner and RelatedPerson have it
    ],
)
def test_so_many_references_are_followed_and_no_more(name: str, each: int) -> None:
    most = MAXIMUM_FOLLOWED // each

    parse(["Observation"], [(name, f"a{n}") for n in range(most)])

    with pytest.raises(TooCostly, match="follows more than 24 references"):
        parse(["Observation"], [(name, f"a{n}") for n in range(most + 1)])


def test_a_filter_counts_like_all_else() -> None:
    tests = " or ".join(f"subject.birthdate eq 19{n:02}-01-01" for n in range(MAXIMUM_FOLLOWED))

    parse(["Observation"], [("_filter", tests)])

    with pytest.raises(TooCostly, match="follows more than 24 references"):
        parse(["Observation"], [("_filter", tests), ("subject:Patient.name", "a")])
