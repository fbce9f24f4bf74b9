"""What account pages show: who one is in the record, and why passkeys are not there."""

import re

from flask.testing import FlaskClient

from auth.surroundings import Surroundings
from tests.signing_in import make_user, send_password, signed_in

WHY = "Browsers make them only for an address with a name, over https"


def test_the_account_says_who_one_is_in_the_record(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around)
    signed_in(around, browser, known)

    assert f"In the record: {known.user.fhir_user}" in browser.get("/auth/account").text


def test_an_address_without_a_name_says_why_it_has_no_passkeys(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = make_user(around, with_totp=False)
    send_password(browser, known.user.login, known.password)

    page = browser.get("/auth/sign-in/set-up").text
    refused = browser.get("/auth/account/passkeys/new")

    assert around.root == "http://127.0.0.1:8000"
    assert WHY in page
    assert around.root in page
    assert refused.status_code == 404
    assert around.root in refused.text


def test_the_account_says_why_there_are_no_passkeys(
    around: Surroundings, browser: FlaskClient
) -> None:
    signed_in(around, browser, make_user(around))

    page = browser.get("/auth/account").text

    assert WHY in page
    assert "/auth/account/passkeys/new" not in page


def test_the_picture_for_the_app_has_the_white_edge_that_readers_need(
    around: Surroundings, browser: FlaskClient
) -> None:
    """ISO/IEC 18004: four modules on each side."""
    known = make_user(around, with_totp=False)
    send_password(browser, known.user.login, known.password)

    (start,) = re.findall(r'd="M(\d+) ([\d.]+)h7', browser.get("/auth/account/app").text)

    assert start == ("4", "4.5")
