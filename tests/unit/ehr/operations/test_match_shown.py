"""What $match tells of a patient is a fixed list, whatever a record holds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.operations.match_asked import Asked
from ehr.operations.match_shown import bundle, is_meant, part
from fhir_profiles.definitions import type_definition

ASKED = Asked("urn:nhs", "1", "1950-03-02", None, False)
PATIENT = {
    "resourceType": "Patient",
    "id": "mary",
    "identifier": [{"system": "urn:nhs", "value": "1"}],
    "birthDate": "1950-03-02",
}
TODAY = "2026-11-22"
TOLD = {"resourceType", "id", "meta", "identifier", "name", "gender", "birthDate",
        "generalPractitioner"}  # fmt: skip
FIELDS = list(type_definition("Patient").fields)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.just("x"),
    st.lists(st.dictionaries(st.sampled_from(["use", "family", "x"]), st.just("x")), max_size=3),
)


@given(st.dictionaries(st.sampled_from([*FIELDS, *(f"_{name}" for name in FIELDS)]), VALUES))
def test_no_other_element_is_told(held: dict[str, Any]) -> None:
    shown = part({**held, **PATIENT}, ASKED, TODAY)

    assert set(shown) <= TOLD
    for name in shown.get("name", ()):
        assert set(name) <= {"use", "family"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([{"use": "official", "family": "A"}, {"family": "B"}], ["A"]),
        ([{"use": "usual", "family": "A"}, {"use": "official", "family": "B"}], ["A", "B"]),
        ([{"family": "A"}, {"use": "old", "family": "B"}], ["A"]),
        ([{"use": "nickname", "family": "A"}, {"use": "temp", "family": "B"}], []),
        ([{"use": "official", "family": "A", "period": {"end": "2026-11-21"}}], []),
        ([{"use": "official", "family": "A", "period": {"end": "2026-11-22"}}], ["A"]),
        ([{"use": "official", "family": "A", "period": {"end": "2026-11-21T23:59:59Z"}}], []),
        ([{"use": "official", "family": "A", "period": {"end": "2026"}}], ["A"]),
        ([{"use": "official", "family": "A", "period": {"end": "2025"}}, {"family": "B"}], ["B"]),
        ([{"use": "official", "family": "A", "period": {"start": "1990"}}], ["A"]),
        ([{"use": "official", "given": [None, "A"], "_given": [{"id": "x"}, None]}], ["A"]),
    ],
)  # fmt: skip
def test_names_in_use_are_told(names: list[dict[str, Any]], told: list[str]) -> None:
    shown = part({**PATIENT, "name": names}, ASKED, TODAY)

    assert [one.get("family") or one["given"][0] for one in shown.get("name", ())] == told


@pytest.mark.parametrize(
    ("reference", "is_told"),
    [
        ({"reference": "Organization/1"}, True),
        ({"reference": "Organization/1/_history/2"}, True),
        ({"reference": "https://x.org/fhir/Organization/1"}, True),
        ({"type": "Organization", "display": "x"}, True),
        ({"type": "Organization", "reference": "#x"}, False),
        ({"reference": "Practitioner/1"}, False),
        ({"reference": "PractitionerRole/1"}, False),
        ({"reference": "urn:uuid:9a1c", "type": "Organization"}, False),
        ({"display": "Dr Reid"}, False),
        ({"reference": "Organization"}, False),
    ],
)
def test_only_practices_are_told(reference: dict[str, Any], is_told: bool) -> None:
    shown = part({**PATIENT, "generalPractitioner": [reference]}, ASKED, TODAY)

    assert shown.get("generalPractitioner", []) == ([reference] if is_told else [])


@pytest.mark.parametrize(
    "changed",
    [
        {"active": False},
        {"birthDate": "1950-03-03"},
        {"birthDate": "1950-03"},
        {"birthDate": None},
        {"identifier": []},
        {"identifier": [{"system": "urn:nhs", "value": "2"}]},
        {"identifier": [{"system": "urn:chi", "value": "1"}]},
        {"identifier": [{"value": "1"}]},
        {"link": [{"type": "refer"}, {"type": "replaced-by"}]},
    ],
)
def test_the_record_itself_decides_whether_it_is_meant(changed: dict[str, Any]) -> None:
    assert is_meant({**PATIENT, "active": True, "link": [{"type": "replaces"}]}, ASKED)
    assert not is_meant({**PATIENT, **changed}, ASKED)


@given(st.integers(0, 4), st.one_of(st.none(), st.integers(1, 5)), st.booleans())
def test_only_one_alone_is_certain(many: int, most: int | None, certain: bool) -> None:
    asked = Asked("urn:nhs", "1", "1950-03-02", most, certain)

    made = bundle([PATIENT] * many, asked, base="http://x/fhir", id="b", at=0)

    entries = made.get("entry", [])
    grades = {one["search"]["extension"][0]["valueCode"] for one in entries}
    assert made["total"] == (0 if certain and many > 1 else many)
    assert len(entries) == min(made["total"], most or many)
    assert grades == (set() if not entries else {"certain"} if many == 1 else {"probable"})
