"""Every form of search does with scopes what it does without, where scopes leave nothing out."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.definitions import resource_types
from tests import given
from tests.client import Client
from tests.policy.conftest import observation

App = Callable[..., Client]
ASKED = (
    "Observation?code=8867-4&date=ge2024&value-quantity=gt70&status=final",
    "Observation?code:in=ValueSet/pulses",
    "Observation?code:not=8867-4&_sort=-date,code&_count=2",
    "Observation?subject:Patient.general-practitioner:Practitioner.identifier=urn:n|reid",
    "Observation?subject.name=Murray",
    'Observation?_filter=code eq 8867-4 and subject.name co "Murray"',
    "Observation?_text=pulse",
    "Observation?_sort=subject,focus",
    "Observation?_sort=-subject&_count=1&_total=accurate",
    "Observation?_include=*&_revinclude=*&_include:iterate=*",
    "Observation?_include=Observation:subject:Patient&_include:iterate=Patient:general-practitioner",
    "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire",
    "QuestionnaireResponse?questionnaire.title=Sleep",
    "Questionnaire?_revinclude=QuestionnaireResponse:questionnaire",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed",
    "Provenance?_include=Provenance:target",
    "Patient?_has:Observation:focus:_has:Provenance:target:recorded=ge2020",
    "Patient/mary/Observation?_include=Observation:performer",
    "Patient/mary/*?_count=50",
    "?_type=Observation,Patient,Practitioner&_sort=_lastUpdated",
    "?_count=100",
    "Patient/mary/$everything",
    "Patient/$everything?_count=5",
    "Observation/_history",
    "_history?_count=5",
    "Patient?organization:missing=true&_summary=count",
    "Observation/$meta",
)

PULSE = '<div xmlns="http://www.w3.org/1999/xhtml">Her pulse</div>'


@pytest.fixture
def forms(people: Client) -> Client:
    """Store what the further forms lead through."""
    people.update({"resourceType": "ValueSet", "id": "pulses", "status": "active",
                   "url": "http://example.org/pulses",
                   "compose": {"include": [{"system": given.LOINC,
                                            "concept": [{"code": "8867-4"}]}]}})  # fmt: skip
    people.update(
        {
            "resourceType": "Questionnaire",
            "id": "sleep",
            "status": "active",
            "title": "Sleep",
            "url": "http://example.org/sleep",
            "version": "2",
        }
    )
    for version in ("", "|2"):
        people.create({"resourceType": "QuestionnaireResponse", "status": "completed",
                       "questionnaire": f"http://example.org/sleep{version}",
                       "subject": given.reference("Patient/mary")})  # fmt: skip
    people.create({"resourceType": "Provenance", "recorded": "2024-05-01T09:15:00Z",
                   "target": [{"reference": "Patient/mary/_history/1"},
                              {"reference": "Observation/mary-vital/_history/1"}],
                   "agent": [{"who": given.reference("Practitioner/reid")}]})  # fmt: skip
    people.update(observation("mary", "mary-self", focus=[given.reference("Patient/mary")],
                              meta={"tag": [{"system": "urn:tags", "code": "of-mary"}]},
                              text={"status": "generated", "div": PULSE}))  # fmt: skip
    people.create({"resourceType": "Provenance", "recorded": "2024-05-01T09:15:00Z",
                   "target": [given.reference("Patient/mary"),
                              given.reference("Observation/mary-self")],
                   "agent": [{"who": given.reference("Practitioner/reid")}]})  # fmt: skip
    return people


def shape(answer: Any) -> Any:
    found = answer.json
    # Matches in their order; what is included has none.
    names = [one["fullUrl"] for one in found.get("entry", ())]
    included = {one["fullUrl"] for one in found.get("entry", ()) if _is_included(one)}
    names = [name for name in names if name not in included] + sorted(included)
    links = [one["relation"] for one in found.get("link", ())]
    return answer.status_code, names, links, found.get("total"), found.get("parameter")


def _is_included(entry: dict[str, Any]) -> bool:
    return bool(entry.get("search", {}).get("mode") == "include")


@pytest.mark.parametrize("granted", ["of each type", "of each type, by filter or without"])
def test_who_may_see_all_sees_all(forms: Client, client_with: App, granted: str) -> None:
    scopes = [f"system/{type}.rs" for type in resource_types() if type != "Observation"]
    scopes.append("system/Observation.rs?category=laboratory system/Observation.rs?code=8867-4"
                  if "filter" in granted else "system/Observation.rs")  # fmt: skip
    app = client_with(" ".join(scopes), kind="system")

    for asked in ASKED:
        if "history" in asked and "filter" in granted:
            continue  # of what filters judge, only the current version is shown
        answer = app.get(asked)
        assert answer.status_code == 200, (asked, answer.data)
        assert shape(answer) == shape(forms.get(asked)), asked


def more_of_john(forms: Client) -> None:
    """Store what every form would find, were it Mary's."""
    john, reid = given.reference("Patient/john"), [given.reference("Practitioner/reid")]
    tagged = {"tag": [{"system": "urn:tags", "code": "of-john"}]}
    for number in range(3):
        forms.update(observation("john", f"more-{number}", performer=reid, meta=tagged,
                                 focus=[given.reference("Patient/mary")],
                                 text={"status": "generated", "div": PULSE}))  # fmt: skip
        forms.create({"resourceType": "QuestionnaireResponse", "status": "completed",
                      "questionnaire": "http://example.org/sleep", "subject": john,
                      "meta": tagged})  # fmt: skip
        forms.create({"resourceType": "Provenance", "recorded": "2024-05-01T09:15:00Z",
                      "target": [given.reference(f"Observation/more-{number}")],
                      "agent": [{"who": reid[0]}], "meta": tagged})  # fmt: skip
    forms.update(observation("john", "john-vital", performer=reid, meta=tagged))


@pytest.mark.parametrize("filtered", [False, True])
def test_what_others_have_changes_no_answer(
    forms: Client, client_with: App, filtered: bool
) -> None:
    types = [type for type in resource_types() if not filtered or type != "Observation"]
    some = ["patient/Observation.rs?category=vital-signs", "patient/Observation.rs?code=2951-2"]
    granted = [f"patient/{type}.rs" for type in types] + (some if filtered else [])
    granted += ["user/Practitioner.rs"]
    app = client_with(" ".join(granted), kind="professional", patient="mary")
    before = {asked: app.get(asked) for asked in ASKED}

    more_of_john(forms)

    for asked, answer in before.items():
        assert answer.status_code == 200, (asked, answer.data)
        assert shape(app.get(asked)) == shape(answer), asked
        assert "john" not in "".join(shape(answer)[1]), asked
        assert answer.json.get("entry") or answer.json.get("total") or b"of-mary" in answer.data
