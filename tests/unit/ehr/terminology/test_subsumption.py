"""Which concept subsumes which, in code systems of the record and of R4 (R4 §4.8.3)."""

from typing import Any

import pytest
from sqlalchemy import false, true

from ehr import terminology
from ehr.errors import Invalid
from ehr.terminology import Source
from tests.client import Client

ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
SIZES = "http://x.org/sizes"


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ("MTH", "MTH", "equivalent"),
        ("FAMMEMB", "MTH", "subsumes"),
        ("MTH", "FAMMEMB", "subsumed-by"),
        ("MTH", "DAUC", "not-subsumed"),
    ],
)
def test_codes_of_r4_subsume(database: Any, one: str, other: str, outcome: str) -> None:
    with database.read() as connection:
        source = Source(connection, lambda _: true(), database.hasher)

        assert terminology.subsumes(source, ROLES, one, other) == outcome


def test_only_a_nesting_that_says_is_a_subsumes(client: Client, record: Any) -> None:
    system = {
        "resourceType": "CodeSystem",
        "url": SIZES,
        "status": "active",
        "content": "complete",
        "concept": [{"code": "large", "concept": [{"code": "huge"}]}],
    }
    made = client.create({**system, "hierarchyMeaning": "grouped-by"})

    def relation() -> str:
        with record.database.read() as connection:
            source = Source(connection, lambda _: true(), record.database.hasher)
            return terminology.subsumes(source, SIZES, "large", "huge")

    assert relation() == "not-subsumed"
    client.update({**made, "hierarchyMeaning": "is-a"})
    assert relation() == "subsumes"
    client.update({**made, "content": "fragment"})
    with pytest.raises(Invalid, match="not stored whole"):
        relation()


def test_definitions_that_are_not_seen_are_not_there(client: Client, record: Any) -> None:
    client.create(
        {
            "resourceType": "ValueSet",
            "url": "http://x.org/vs",
            "status": "active",
            "compose": {"include": [{"system": SIZES, "concept": [{"code": "large"}]}]},
        }
    )
    with record.database.read() as connection:
        seeing = Source(connection, lambda _: true(), record.database.hasher)
        blind = Source(connection, lambda _: false(), record.database.hasher)

        assert terminology.expand(seeing, "http://x.org/vs") == {(SIZES, "large")}
        with pytest.raises(Invalid, match=r"x\.org/vs is neither"):
            terminology.expand(blind, "http://x.org/vs")
