"""Allowing an app, in a browser: from the app over sign-in and consent and back to the app."""

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import expect

from tests.browsing import (
    TITLE,
    assert_accessible,
    assert_fits,
    assert_large_enough,
    picture,
    stops,
)
from tests.signing_in import PASSWORD

if TYPE_CHECKING:
    from tests.browser.conftest import Given

LIMITED = (
    "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Condition.rs "
    "patient/Observation.rs patient/AllergyIntolerance.cruds"
)


def test_a_patient_signs_in_and_allows_an_app(given: "Given") -> None:
    mary = given.user("patient", given.patient())
    window = given.window()

    window.goto(given.address(given.app(), LIMITED))
    expect(window).to_have_title(f"Sign in {TITLE}")
    assert_accessible(window)
    assert_fits(window, 320)
    picture(window, "sign-in")
    window.get_by_label("Sign-in name").fill(mary.user.login)
    window.get_by_label("Password").fill(PASSWORD)
    window.get_by_role("button", name="Sign in").click()

    heading = window.get_by_role("heading", level=1)
    expect(heading).to_have_text("Allow Growth Charts to use your record?")
    assert_accessible(window)
    assert_large_enough(window)
    for width in (320, 640):
        assert_fits(window, width)
    picture(window, "consent")
    window.get_by_role("button", name="Allow", exact=True).click()

    expect(window.get_by_role("heading")).to_have_text("The app at /callback")
    assert "code=" in window.url


def test_a_patient_allows_less(given: "Given") -> None:
    window = given.window(given.user("patient", given.patient()))
    window.goto(given.address(given.app(), LIMITED))

    window.get_by_label("Add, change and delete allergies and bad reactions").uncheck()
    window.get_by_text("Allow only some of these (See test results").click()
    window.get_by_label("See laboratory test results").check()
    assert_accessible(window)
    picture(window, "consent-less")
    window.get_by_role("button", name="Allow", exact=True).click()
    expect(window.get_by_role("heading")).to_have_text("The app at /callback")

    window.goto(f"{given.live.root}/auth/apps")
    window.get_by_text("What it may see and do").click()
    allowed = window.get_by_role("listitem").all_inner_texts()
    assert "See laboratory test results" in allowed
    assert "See test results, measurements and observations" not in allowed
    assert not [text for text in allowed if text.startswith("Add")]


def test_a_patient_refuses(given: "Given") -> None:
    window = given.window(given.user("patient", given.patient()))
    window.goto(given.address(given.app(), LIMITED))

    window.get_by_role("button", name="Do not allow").click()

    expect(window.get_by_role("heading")).to_have_text("The app at /callback")
    assert "error=access_denied" in window.url


def test_nothing_ticked_is_said_at_the_top(given: "Given") -> None:
    window = given.window(given.user("patient", given.patient()))
    window.goto(given.address(given.app(), "openid launch/patient patient/Patient.rs"))
    window.get_by_label("See name, birth date").uncheck()

    window.get_by_role("button", name="Allow", exact=True).click()

    expect(window).to_have_title(f"Error: Allow Growth Charts to use your record? {TITLE}")
    assert_accessible(window)
    picture(window, "consent-error")
    window.get_by_role("link", name="Choose what the app may see").click()
    expect(window.get_by_label("See name, birth date")).to_be_focused()


def test_an_app_that_was_allowed_is_not_asked_again_after_signing_in(given: "Given") -> None:
    """The form of the sign-in page ends at the app: no policy of ours may stop it there."""
    known = given.user("patient", given.patient())
    app = given.app(auth_method="client_secret_basic")
    scope = "openid launch/patient patient/Patient.rs"
    first = given.window(known)
    first.goto(given.address(app, scope))
    first.get_by_role("button", name="Allow", exact=True).click()
    expect(first.get_by_role("heading")).to_have_text("The app at /callback")

    window = given.window()
    window.goto(given.address(app, scope))
    window.get_by_label("Sign-in name").fill(known.user.login)
    window.get_by_label("Password").fill(PASSWORD)
    window.get_by_role("button", name="Sign in").click()

    expect(window.get_by_role("heading")).to_have_text("The app at /callback")
    assert "code=" in window.url


def test_everything_and_unchecked_apps_are_warned_of(given: "Given") -> None:
    window = given.window(given.user("patient", given.patient()))
    app = given.app("Totally Free Health", verified=False)

    window.goto(given.address(app, "openid fhirUser launch/patient patient/*.cruds user/*.rs"))

    expect(window.get_by_role("heading", name="This app has not been checked")).to_be_visible()
    expect(window.get_by_text("will be added in the future")).to_be_visible()
    assert_accessible(window)
    assert_fits(window, 320)
    picture(window, "consent-everything")


def test_a_consent_is_given_by_keyboard_alone(given: "Given") -> None:
    window = given.window(given.user("patient", given.patient()))
    window.goto(given.address(given.app(), "openid launch/patient patient/Patient.rs"))

    assert stops(window) == [
        "Skip to main content",
        "Sign out",
        "See name, birth date, address and contact details",
        "Apps with access",
        "Allow",
        "Do not allow",
        "Your account",
        "Your apps",
    ]
    window.get_by_label("See name, birth date").focus()
    window.keyboard.press("Space")
    expect(window.get_by_label("See name, birth date")).not_to_be_checked()
    window.keyboard.press("Space")
    window.get_by_role("button", name="Allow", exact=True).focus()
    window.keyboard.press("Enter")

    expect(window.get_by_role("heading")).to_have_text("The app at /callback")


@pytest.mark.parametrize(
    "options",
    [{"java_script_enabled": False}, {"forced_colors": "active"}, {"color_scheme": "dark"}],
    ids=["no script", "forced colours", "dark"],
)
def test_a_consent_is_given_in_any_browser(given: "Given", options: dict[str, bool | str]) -> None:
    window = given.window(given.user("patient", given.patient()), **options)
    window.goto(given.address(given.app(), LIMITED))
    if "forced_colors" in options:
        picture(window, "consent-forced")
        assert_accessible(window)
    window.get_by_role("button", name="Allow", exact=True).click()

    expect(window.get_by_role("heading")).to_have_text("The app at /callback")
    assert "code=" in window.url


def test_a_refused_request_is_told_on_a_plain_page(given: "Given") -> None:
    window = given.window()

    window.goto(given.address(given.app(), "openid").replace("client_id=", "client_id=x"))

    expect(window.get_by_role("heading")).to_have_text("This app cannot be connected")
    assert_accessible(window)
    assert_fits(window, 320)
    picture(window, "refused")


def test_t06_no_page_can_be_framed(given: "Given") -> None:
    """T6, clickjacking: what a browser does with our headers."""
    window = given.window(given.user("patient", given.patient()))
    window.goto(f"{given.site}/frame")
    window.set_content(f'<iframe src="{given.address(given.app(), LIMITED)}"></iframe>')

    frame = window.frames[-1]
    frame.wait_for_load_state()

    assert frame.query_selector("form") is None
    assert "frame-ancestors 'none'" in given.faults.pop()


def test_t06_a_form_of_another_site_leaves_what_other_tabs_began(given: "Given") -> None:
    """SMART's authorization by POST: the browser sends no cookie of ours with it (SameSite)."""
    app, mary = given.app(), given.user("patient", given.patient())
    window = given.window(mary)
    window.goto(given.address(app, LIMITED))
    path, _, query = given.address(app, LIMITED).partition("?")
    fields = "".join(f'<input name="{n}" value="{escape(v)}">' for n, v in parse_qsl(query))
    other = window.context.new_page()

    other.set_content(f'<form method="post" action="{path}">{fields}<button>Go</button></form>')
    other.get_by_role("button").click()

    heading = other.get_by_role("heading", level=1)
    expect(heading).to_have_text("Allow Growth Charts to use your record?")
    for each in (window, other):
        each.get_by_role("button", name="Allow", exact=True).click()
        expect(each.get_by_role("heading")).to_have_text("The app at /callback")
