"""Leaks that other servers had in searches (L1 to L3, L12, L27 to L30), each tried on ours.

To who has no relationship with John, nothing of John is there.
"""

from typing import TYPE_CHECKING

import pytest

from tests import given
from tests.policy.house import House, found, is_as_unknown, open_house, told
from tests.policy.leaks.paths.pages import next_of

if TYPE_CHECKING:
    from ehr.record import Record

pytestmark = pytest.mark.usefixtures("unlinted")
HERS = {"mary-pulse", "mary-focus"}


@pytest.fixture
def house(record: "Record") -> House:
    return open_house(record)


def test_l01_has_does_not_tell_values(house: House) -> None:
    """hapi-fhir #6065: halving the interval finds a hidden value."""
    for value in ("gt90", "lt1000", "99", "ne72"):
        asked = f"Patient?_has:Observation:patient:value-quantity={value}"
        assert "john" in found(house.everything, asked)
        assert "john" not in found(house.gp, asked), value
    assert found(house.gp, "Patient?_has:Observation:patient:value-quantity=gt70") == {"mary"}
    twice = "Practitioner?_has:Observation:performer:subject:Patient._has:Condition:patient:_id="
    assert found(house.gp, f"{twice}mary-condition") == {"ann"}
    assert found(house.gp, f"{twice}john-condition") == set()


def test_l02_each_hop_of_a_chain_is_filtered(house: House) -> None:
    """medplum #9973: chains and `_has` that ask without the policy, canonical ones too."""
    assert found(house.gp, "Observation?subject:Patient.identifier=urn:n|mary") == HERS
    for asked in (
        "Observation?subject:Patient.identifier=urn:n|john",
        "Observation?focus:Patient.identifier=urn:n|john",
        "Organization?_has:Patient:general-practitioner:identifier=urn:n|john",
        "Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=john-answers",
        "Observation?focus:Patient._has:Condition:patient:code=73211009",
        "Practitioner?_has:Appointment:practitioner:patient=john",
    ):
        assert found(house.everything, asked), asked
        assert found(house.gp, asked) == set(), asked
    response = "QuestionnaireResponse?questionnaire:Questionnaire.status=active"
    assert found(house.gp, response) == {"mary-answers"}


def test_l03_nothing_of_others_is_included(house: House) -> None:
    """microsoft/fhir-server #5683: what a focus refers to is in another compartment."""
    for asked in (
        "Observation?_include=Observation:focus",
        "Observation?_include=*",
        "Patient?_revinclude=Observation:focus",
        "Patient?_revinclude=*",
        "Practitioner?_revinclude=Observation:performer",
        "Observation?_include:iterate=*&_revinclude:iterate=*",
        "Organization?_revinclude=Patient:general-practitioner&_revinclude:iterate=Observation:focus",
    ):
        both = found(house.everything, f"{asked}&_count=100")
        assert any(one.startswith("john") for one in both), asked
        seen = found(house.gp, f"{asked}&_count=100")
        assert not any(one.startswith("john") for one in seen), asked
        page = house.gp.read(f"{asked}&_count=1")
        while (link := next_of(page)) is not None:
            page = house.gp.read(link)
            assert not any("john" in one["fullUrl"] for one in page.get("entry", ())), asked


def test_l03_nothing_leads_on_through_what_is_hidden(house: House) -> None:
    """Two rows that may be seen refer to one that may not: whether it is there, neither tells."""
    everything, to_form = house.everything, given.reference("Questionnaire/how")
    john = given.reference("Patient/john")
    everything.update(given.observation("Patient/mary", id="mary-other", focus=[john]))
    everything.update(given.observation("Patient/mary", id="mary-form", focus=[to_form]))
    formless = "user/Observation.rs user/Patient.rs user/QuestionnaireResponse.rs"
    clerk = house.staff("gp", "ann", "practice", formless)
    focus = "Observation?_id=mary-focus&_include=Observation:focus"
    form = "Observation?_id=mary-form&_include=Observation:focus"
    for app, asked, one in (
        (house.gp, f"{focus}&_revinclude:iterate=Observation:focus", "mary-other"),
        (house.gp, f"{focus}&_revinclude:iterate=*", "mary-other"),
        (house.gp, f"{focus}&_include:iterate=Patient:general-practitioner", "other"),
        (clerk, f"{form}&_revinclude:iterate=QuestionnaireResponse:questionnaire", "mary-answers"),
    ):
        assert one in found(everything, asked), asked
        assert one not in found(app, asked), asked
    assert "mary-answers" in found(house.gp, asked)


def test_l12_questions_about_a_hidden_patient_are_answered_as_about_nobody(house: House) -> None:
    """LinuxForHealth/FHIR #1849: an empty answer for one, a refusal for the other."""
    for asked in (
        "Observation?patient=john",
        "Observation?subject=Patient/john&focus=Patient/john",
        "Patient?_id=john",
        "Patient?identifier=urn:n|john",
        "Patient/john/Observation",
        "Patient/john/*",
        "Observation?patient=john&_summary=count",
        "Observation?_filter=subject eq Patient/john",
    ):
        assert _searched(house, asked) == _searched(house, asked.replace("john", "nobody")), asked
    assert is_as_unknown(house.gp, "GET", "Patient/john/$everything")


def _searched(house: House, asked: str) -> tuple[int, int, int]:
    response = house.gp.get(asked)
    body = response.get_json()
    return response.status_code, len(body.get("entry", ())), body.get("total", 0)


def test_l27_a_page_link_is_of_who_began(house: House) -> None:
    """hapi-fhir #3357, #7888: the next page given to another user."""
    link = next_of(house.everything.read("Observation?_count=1"))
    mine = next_of(house.gp.read("Observation?_count=1"))
    assert link is not None
    assert mine is not None

    for other in (house.gp, house.consultant, house.mary):
        refused = other.get(link)
        assert refused.status_code == 400
        assert refused.get_json()["resourceType"] == "OperationOutcome"
    assert house.consultant.get(mine).status_code == 400
    assert house.gp.get(mine).status_code == 200


def test_l28_totals_count_what_is_seen(house: House) -> None:
    """hapi-fhir #3418, #1507, #2012: a count that has hidden rows in it."""
    for asked in (
        "Observation?_total=accurate&_count=1",
        "Observation?_summary=count",
        "Observation?_count=0",
        "Observation?code=8867-4&_total=accurate",
    ):
        assert house.everything.read(asked)["total"] == 4
        assert house.gp.read(asked)["total"] == 2, asked
    assert house.gp.read("Patient?_summary=count")["total"] == 1


def test_l29_naming_patient_and_practitioner_at_one_path_widens_nothing(house: House) -> None:
    """hapi-fhir #3941, #5991: the narrowing was a parameter, and another one took its place."""
    for asked in (
        "Appointment?actor=Practitioner/ann",
        "Appointment?actor=Practitioner/ann,Patient/john",
        "Appointment?actor=Practitioner/ann&actor=Patient/mary,Patient/john",
        "Appointment?practitioner=Practitioner/ann",
        "Appointment?patient=mary,john",
    ):
        assert found(house.gp, asked) == {"mary-appointment"}, asked


def test_l30_links_say_only_what_was_asked(house: House) -> None:
    """hapi-fhir #3018: the link to itself showed the patient that was put in."""
    for client in (house.gp, house.mary):
        bundle = client.read("Observation?code=8867-4&_count=1")
        for link in bundle["link"]:
            url = link["url"].partition("_cursor=")[0]
            assert "mary" not in url
            assert "subject" not in url
    assert told(house.gp.get("Observation?patient=john&_sort=x"))[0] == 400
