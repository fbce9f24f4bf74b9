"""Signing in, joining and looking after an account, in a browser; passkeys for real."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from auth.sign_in.users import Role
from tests import live_server
from tests.browsing import (
    assert_good,
)
from tests.live_server import Live
from tests.signing_in import PASSWORD, Known, code_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Given

MANAGER = Role("gp", "GP at Northside Practice", "northside", manages=True)
FRONT_DESK = Role("receptionist", "Receptionist at Northside", "northside", manages=True)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a record that is served under a name: browsers make no passkeys for a number."""
    with live_server.served(tmp_path_factory.mktemp("live"), "localhost") as served:
        yield served


def sign_in(window: "Page", known: Known, password: str = PASSWORD) -> None:
    """Fill in the first page of signing in."""
    window.get_by_label("Sign-in name").fill(known.user.login)
    window.get_by_label("Password").fill(password)
    window.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_doctor_with_two_roles_signs_in(given: "Given", script: bool) -> None:
    roles = [MANAGER, Role("urgent", "Doctor at Urgent Care")]
    known = given.user("professional", roles=roles)
    window = given.window(java_script_enabled=script)
    window.goto(f"{given.live.root}/auth/account")
    if script:
        assert_good(window, "sign-in")

    sign_in(window, known, "not the password")
    expect(window.get_by_label("Sign-in name")).to_have_value(known.user.login)
    expect(window.get_by_label("Password")).to_have_value("")
    if script:
        assert_good(window, "sign-in-error")
    sign_in(window, known)
    if script:
        assert_good(window, "second-factor")
    window.get_by_label("Code from your authenticator app").fill(code_of(known))
    window.get_by_role("button", name="Continue").click()
    if script:
        assert_good(window, "role")
    window.get_by_label("Doctor at Urgent Care").check()
    window.get_by_role("button", name="Continue").click()

    expect(window.get_by_role("heading", level=1)).to_have_text("How you sign in")


def test_a_passkey_is_set_up_and_signs_in(given: "Given") -> None:
    known = given.user("professional", roles=[MANAGER], with_totp=False)
    window = given.window()
    with_passkeys(window)
    window.goto(f"{given.live.root}/auth/account")
    sign_in(window, known)
    assert_good(window, "set-up")
    window.get_by_role("link", name="Add a passkey").click()
    assert_good(window, "passkey")
    window.get_by_label("Name of the device").fill("work laptop")
    window.get_by_role("button", name="Add a passkey").click()
    expect(window.get_by_role("heading", level=1)).to_have_text("Write down your recovery codes")
    assert_good(window, "recovery-codes")
    window.get_by_role("link", name="I have kept them, continue").click()
    expect(window.get_by_text("work laptop", exact=True)).to_be_visible()
    assert_good(window, "account")
    window.get_by_role("button", name="Sign out").click()

    sign_in(window, known)
    window.get_by_role("button", name="Use a passkey").click()

    expect(window.get_by_role("button", name="Sign out")).to_be_visible()

    # And alone, without a name or a password.
    window.get_by_role("button", name="Sign out").click()
    assert_good(window, "sign-in-passkey")
    window.get_by_role("button", name="Sign in with a passkey").click()

    expect(window.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/auth/account/app", "app"),
        ("/auth/account/password", "password"),
        ("/auth/invite", "invite"),
        ("/auth/patients/new", "register-patient"),
    ],
)
def test_pages_of_an_account_are_good(given: "Given", path: str, name: str) -> None:
    window = given.window(given.user("professional", roles=[FRONT_DESK]))
    window.goto(f"{given.live.root}{path}")

    assert_good(window, name)


def test_a_patient_is_invited_and_joins(given: "Given") -> None:
    patient = given.patient("Isla", birthDate="1948-02-29")
    window = given.window(given.user("professional", roles=[MANAGER]))
    window.goto(f"{given.live.root}/auth/invite")
    window.get_by_role("button", name="Make the invitation").click()
    assert_good(window, "invite-error")
    window.get_by_label("A patient", exact=True).check()
    window.get_by_label("Who they are in the record").fill(f"Patient/{patient}")
    window.get_by_role("button", name="Make the invitation").click()
    assert_good(window, "invitation")
    code = window.locator("code").inner_text()

    theirs = given.window()
    theirs.goto(f"{given.live.root}/auth/join")
    assert_good(theirs, "join")
    theirs.get_by_label("Code of your invitation").fill(code)
    for part, value in (("Day", "29"), ("Month", "2"), ("Year", "1948")):
        theirs.get_by_label(part, exact=True).fill(value)
    theirs.get_by_role("button", name="Continue").click()
    assert_good(theirs, "join-account")
    theirs.get_by_label("Sign-in name").fill(f"isla-{patient}")
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Make my account").click()

    expect(theirs.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_patient_is_registered_and_their_invitation_is_printed(given: "Given") -> None:
    window = given.window(given.user("professional", roles=[FRONT_DESK]))
    window.goto(f"{given.live.root}/auth/patients/new")
    window.get_by_role("button", name="Register").click()
    assert_good(window, "register-patient-error")
    window.get_by_label("First names").fill("Morag")
    window.get_by_label("Last name").fill("Reid")
    for part, value in (("Day", "28"), ("Month", "2"), ("Year", "1948")):
        window.get_by_label(part, exact=True).fill(value)
    window.get_by_label("CHI number").check()
    window.get_by_label("The number").fill("280248 0138")
    window.get_by_role("button", name="Register").click()
    assert_good(window, "registered")
    window.get_by_role("button", name="Make the invitation").click()

    expect(window.get_by_role("heading", level=1)).to_have_text("Invitation for Morag Reid")


def with_passkeys(window: "Page") -> None:
    """Give a browser a device that makes passkeys and knows its owner."""
    tools = window.context.new_cdp_session(window)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
