"""Searches that the record once answered otherwise than the oracle, each by the sentence of R4.

FHIR R4 §3.1.1 decides; the sentence stands with the test. `test_search_against_oracle.py` finds
them, here they stay found.
"""

from typing import Any

import pytest

from tests import given
from tests.client import Client


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none"}


def found(client: Client, request: str) -> list[str]:
    """Return the ids of the matches, sorted."""
    bundle = client.read(request)
    return sorted(entry["resource"]["id"] for entry in bundle.get("entry", ()))


def document(**more: Any) -> dict[str, Any]:
    """Describe a document with as little as R4 asks."""
    attachment = {"attachment": {"contentType": "text/plain"}}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [attachment],
        **more,
    }


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ("2024-05-01T10:00:00Z", True),
        ("2024-05-01T10:00:00.000Z", True),
        ("2024-05-01T10:00Z", True),
        ("gt2024-05-01T10:00:00.500Z", False),
        ("ge2024-05-01T10:00:00.500Z", False),
        ("eb2024-05-01T10:00:00.500Z", True),
        ("sa2024-05-01T09:59:59.999Z", True),
        ("sa2024-05-01T10:00:00Z", False),
    ],
)
def test_an_instant_has_no_width(client: Client, search: str, is_found: bool) -> None:
    """An instant is "an interval with an effective width of 0" (§3.1.1.4.7), whatever its digits.

    A dateTime with the same text is a second wide.
    """
    made = client.create(document(date="2024-05-01T10:00:00Z"))

    assert found(client, f"DocumentReference?date={search}") == [made["id"]] * is_found


def test_filters_do_not_regard_the_case_of_any_letter(client: Client) -> None:
    """ "Values are never case sensitive" (§3.1.3.2): é is É."""
    mary = client.create(given.patient())
    made = client.create(given.condition(mary, "éÉa"))

    assert found(client, "Condition?_filter=code eq ÉéA") == [made["id"]]
    assert found(client, "Condition?_filter=code ne ÉéA") == []


def test_of_several_types_those_answer_that_a_reference_may_be_of(client: Client) -> None:
    """Documents may be of an EpisodeOfCare, conditions never are: they are just not found."""
    mary = client.create(given.patient())
    made = client.create(
        document() | {"context": {"encounter": [{"reference": "EpisodeOfCare/gone"}]}}
    )
    client.create(given.condition(mary))

    both = "?_type=Condition,DocumentReference&encounter"
    assert found(client, f"{both}=EpisodeOfCare/gone") == [made["id"]]
    assert client.get(f"{both}=not a reference").status_code == 400
    assert client.get("Condition?encounter=EpisodeOfCare/gone").status_code == 400


def test_a_datetime_is_as_wide_as_its_last_digit(client: Client) -> None:
    """ "The range of the value as defined above", to the precision given (§3.1.1.4.7)."""
    mary = client.create(given.patient())
    seen = client.create(given.observation(mary) | {"effectiveDateTime": "2024-05-01T10:00:00Z"})

    assert found(client, "Observation?date=gt2024-05-01T10:00:00.500Z") == [seen["id"]]
    assert found(client, "Observation?date=2024-05-01T10:00:00.000Z") == []
