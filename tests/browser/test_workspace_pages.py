"""Choosing a patient, starting an app for one, and cutting apps off, in a browser."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import given as resources
from tests.browsing import (
    assert_accessible,
    assert_good,
    stops,
)

if TYPE_CHECKING:
    from tests.browser.conftest import Given

PERSON = "openid fhirUser launch/patient patient/Patient.rs user/Observation.rs"
NUMBER = [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765919"}]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_doctor_finds_the_patient_of_an_app(given: "Given", script: bool) -> None:
    given.patient("Isla", birthDate="1948-02-29", identifier=NUMBER)
    window = given.window(given.user("professional"), java_script_enabled=script)
    window.goto(given.address(given.app(), PERSON))

    heading = window.get_by_role("heading", level=1)
    expect(heading).to_have_text("Whose record should Growth Charts open?")
    if script:
        assert_good(window, "picker")
    window.get_by_label("Find a person").fill("isla 1948-02-29")
    window.get_by_role("button", name="Search").click()
    person = window.get_by_label("Isla Murray").first
    expect(window.get_by_text("Born 29 February 1948").first).to_be_visible()
    if script:
        assert_good(window, "picker-found")
    window.get_by_role("button", name="Continue").click()
    expect(window.get_by_role("link", name="Choose a person")).to_be_visible()
    if script:
        assert_good(window, "picker-error")
    person.check()
    window.get_by_role("button", name="Continue").click()

    expect(heading).to_have_text("Allow Growth Charts to use the record of Isla Murray?")
    expect(window.get_by_text("GP at Northside Practice")).to_be_visible()
    if script:
        assert_good(window, "consent-doctor")
    window.get_by_role("button", name="Allow", exact=True).click()
    expect(window.get_by_role("heading")).to_have_text("The app at /callback")
    assert "code=" in window.url


def test_nobody_is_found_by_a_name_alone(given: "Given") -> None:
    window = given.window(given.user("professional"))
    window.goto(given.address(given.app(), PERSON))

    window.get_by_label("Find a person").fill("Murray")
    window.get_by_role("button", name="Search").click()

    expect(window.get_by_text("Nobody was found")).to_be_visible()
    assert_good(window, "picker-nobody")


def test_a_carer_says_for_whom(given: "Given") -> None:
    some = [given.patient("Tom", birthDate="2015-06-01"), given.patient("Ann")]
    window = given.window(given.user("carer", *some))
    window.goto(given.address(given.app(), PERSON))

    assert_good(window, "picker-carer")
    expect(window.get_by_label("Ann Murray")).to_have_count(0)  # who lets nobody act
    window.get_by_label("Tom Murray").check()
    window.get_by_role("button", name="Continue").click()

    expect(window.get_by_role("heading", level=1)).to_have_text(
        "Allow Growth Charts to use the record of Tom Murray?"
    )


def test_a_carer_leaves_without_choosing(given: "Given") -> None:
    window = given.window(given.user("carer", given.patient("Tom"), given.patient("Ann")))
    window.goto(given.address(given.app(), PERSON))

    window.get_by_role("button", name="Go back without choosing").click()

    expect(window.get_by_role("heading")).to_have_text("The app at /callback")
    assert "error=access_denied" in window.url


def test_a_patient_says_for_which_visit(given: "Given") -> None:
    mary = given.patient()
    for title in ("Asthma review", "Blood test"):
        given.write(resources.encounter(f"Patient/{mary}", type=[{"text": title}]))
    window = given.window(given.user("patient", mary))
    window.goto(given.address(given.app(), "openid launch/encounter patient/Encounter.rs"))

    expect(window.get_by_role("heading", level=1)).to_have_text("Which visit is Growth Charts for?")
    assert_good(window, "visit")
    window.get_by_role("button", name="Continue").click()
    window.get_by_role("link", name="Choose a visit").click()
    expect(
        window.get_by_label("Asthma review").or_(window.get_by_label("Blood test")).first
    ).to_be_focused()
    assert_accessible(window)
    window.get_by_label("Asthma review").check()
    window.get_by_role("button", name="Continue").click()
    window.get_by_role("button", name="Allow", exact=True).click()

    expect(window.get_by_role("heading")).to_have_text("The app at /callback")


def test_a_doctor_starts_an_app_for_a_patient(given: "Given") -> None:
    app = given.app("Blood Pressure Plotter")
    given.app("Unknown Helper", verified=False)
    patient = given.patient("Isla")
    window = given.window(given.user("professional"))
    window.goto(f"{given.live.root}/auth/launch?patient={patient}")

    assert_good(window, "launch")
    window.get_by_role("button", name="Start Blood Pressure Plotter").first.click()

    expect(window.get_by_role("heading")).to_have_text("The app at /launch")
    launched = window.url.partition("launch=")[2].partition("&")[0]
    assert len(launched) == 43
    window.goto(given.address(app, "launch openid patient/Patient.rs", launch=launched))
    expect(window.get_by_role("heading", level=1)).to_have_text(
        "Allow Blood Pressure Plotter to use the record of Isla Murray?"
    )
    window.get_by_role("button", name="Allow", exact=True).click()
    expect(window.get_by_role("heading")).to_have_text("The app at /callback")


def test_a_person_cuts_off_apps(given: "Given") -> None:
    window = given.window(given.user("patient", given.patient()))
    for name in ("Growth Charts", "Step Counter", "Diary"):
        window.goto(given.address(given.app(name), "openid launch/patient patient/*.rs"))
        window.get_by_role("button", name="Allow", exact=True).click()
        expect(window.get_by_role("heading")).to_have_text("The app at /callback")

    window.goto(f"{given.live.root}/auth/apps")
    assert_good(window, "apps")
    names = stops(window)
    assert len(set(names)) == len(names)
    window.get_by_role("button", name="Cut off Step Counter").click()
    expect(window.get_by_text("The app is cut off.")).to_be_visible()
    expect(window.get_by_role("heading", name="Step Counter")).to_have_count(0)
    assert_good(window, "apps-ended")
    window.get_by_role("button", name="Cut off all apps").click()
    expect(window.get_by_text("No app has access through you.")).to_be_visible()
    assert_good(window, "apps-none")
