"""Signing in with an account at another provider: an independent one, on loopback.

T34: whatever a provider or somebody between says is not believed where it does not fit.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from auth.joining import inviting
from auth.principal import Principal
from auth.sign_in import users
from auth.sign_in.users import Role
from auth.surroundings import Surroundings
from tests import npm
from tests.api.signing_in.elsewhere import Person
from tests.client import Client
from tests.signing_in import (
    GP,
    csrf_in,
    gone_to,
    make_user,
    send,
    session_of,
    signed_in,
    somebody_in,
)

NHS_NUMBER = "9000000009"
KEY = ECKey.generate_key("P-256", {"kid": "ours", "alg": "ES256", "use": "sig"})
RETURN = "http://127.0.0.1:8000/auth/sign-in/from/nhs"
ACCOUNTS = {
    "mary": {"nhs_number": NHS_NUMBER, "birthdate": "1950-03-01", "vot": "P9.Cp.Cd"},
    "unproven": {"nhs_number": NHS_NUMBER, "birthdate": "1950-03-01", "vot": "P5.Cp.Cd"},
    "namesake": {"nhs_number": NHS_NUMBER, "birthdate": "1951-03-01", "vot": "P9.Cp.Cd"},
    "unknown": {"vot": "P0.Cp"},
    "gp": {
        "vot": "P9.Cp.Cd",
        "selected_roleid": "555254240100",
        "nhsid_nrbac_roles": [
            {"person_roleid": "555254240100", "org_code": "A81001", "role_code": "S0:G0:R0260"},
            {"person_roleid": "555254240101", "org_code": "RBA", "role_code": "S0:G0:R0050"},
        ],
    },
    "doctor": {"vot": "P9.Cp.Cd", "email": "patient@example.org"},
}


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """Give the issuer of a running provider."""
    known = {
        "client_id": "record",
        "redirect_uris": [RETURN],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [KEY.as_dict(private=False)]},
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
    }
    said = json.dumps({"clients": [known], "accounts": ACCOUNTS})
    with npm.running(npm.installed("oidc-provider"), "provider.mjs", said) as line:
        yield line


@pytest.fixture
def record_settings(issuer: str, tmp_path: Path) -> dict[str, str]:
    """Name the provider to the record."""
    provider = {
        "id": "nhs",
        "name": "NHS login",
        "issuer": issuer,
        "client_id": "record",
        "key": KEY.as_dict(private=True),
        "scope": "openid",
        "levels": ["P5.Cp.Cd", "P9.Cp.Cd"],
        "full": ["P9.Cp.Cd"],
        "second_factor": ["P5.Cp.Cd", "P9.Cp.Cd"],
        "vtr": ["P9.Cp.Cd"],
        "private": [issuer],
    }
    file = tmp_path / "upstream.json"
    file.write_text(json.dumps([provider]), "utf-8")
    return {"EHR_UPSTREAM": str(file)}


def test_a_verified_nhs_number_links_at_the_highest_level_and_once(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    _mary(client)

    first = come_back(browser, "mary")
    session = session_of(around, browser)
    again = come_back(browser.application.test_client(), "mary")

    assert gone_to(first) == "/auth/apps"
    assert session.user.fhir_user == "Patient/mary"
    assert session.user.patients == ("mary",)
    assert session.amr == ("fed", "mfa")
    assert session.acr == "P9.Cp.Cd"
    assert gone_to(again) == "/auth/apps"


@pytest.mark.parametrize("account", ["unproven", "namesake", "doctor"])
def test_t34_a_claim_that_is_not_enough_links_nobody(
    browser: FlaskClient, client: Client, account: str
) -> None:
    """A lower level, another birth date, no number; and an e-mail never links."""
    _mary(client)
    response = come_back(browser, account)

    assert response.status_code == 403
    assert "Join with an invitation first" in response.text
    assert browser.get_cookie("ehr-session") is None


def test_an_account_that_is_not_sure_enough_is_refused(browser: FlaskClient) -> None:
    response = come_back(browser, "unknown")

    assert response.status_code == 403
    assert "not sure enough of who you are" in response.text


def test_a_number_that_two_patients_have_links_nobody(browser: FlaskClient, client: Client) -> None:
    _mary(client)
    other = {"system": "urn:oid:2.16.840.1.113883.2.1.3.2.4.16.53", "value": NHS_NUMBER}
    client.create({"resourceType": "Patient", "identifier": [other], "birthDate": "1950-03-01"})

    response = come_back(browser, "mary")

    assert response.status_code == 403
    assert "We can&#39;t tell which record is yours" in response.text


def test_a_dead_patient_is_refused(browser: FlaskClient, client: Client) -> None:
    _mary(client, deceasedBoolean=True)

    response = come_back(browser, "mary")

    assert response.status_code == 403
    assert "this person has died" in response.text


def test_an_owner_links_and_unlinks(around: Surroundings, browser: FlaskClient) -> None:
    known = somebody_in(around, browser)

    linked = come_back(browser, "doctor", links="yes")
    other = browser.application.test_client()
    come_back(other, "doctor")
    session = session_of(around, other)
    page = browser.get("/auth/account")
    removed = browser.post(
        "/auth/account/identities/remove",
        data={"csrf": csrf_in(page), "issuer": _issuer(around), "subject": "doctor"},
    )
    refused = come_back(browser.application.test_client(), "doctor")

    assert gone_to(linked) == "/auth/account?told=linked"
    assert session.user.id == known.user.id
    assert session.complete
    assert "No longer sign in with NHS login" in page.text
    assert gone_to(removed) == "/auth/account?told=identity"
    assert refused.status_code == 403


def test_an_invited_person_joins_with_an_account_elsewhere(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    client.update({"resourceType": "Practitioner", "id": "ada", "name": [{"text": "Ada"}]})
    caller = Principal("tests", "operator", "tests")
    invited = inviting.whom(around, caller, "professional", "ada", (GP,))
    code = around.store.write(
        lambda connection: inviting.invite(connection, around, invited, invited_by="tests")
    )
    page = send(browser, "/auth/join", {"code": code})
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket is not None

    sent = {"csrf": csrf_in(page), "ticket": ticket[1]}
    left = browser.post("/auth/sign-in/with/nhs", data=sent)
    back = Person("doctor").sign_in(gone_to(left)).removeprefix("http://127.0.0.1:8000")
    first = browser.get(back)
    second = browser.application.test_client()
    again = come_back(second, "doctor")

    assert gone_to(first) == gone_to(again) == "/auth/apps"
    session = session_of(around, second)
    assert session.user.fhir_user == "Practitioner/ada"
    assert session.role is not None
    assert session.complete


@pytest.mark.parametrize("how", ["by role id", "by organisation"])
def test_the_role_chosen_elsewhere_is_in_force(
    around: Surroundings, browser: FlaskClient, client: Client, how: str
) -> None:
    _two_workplaces(around, browser, client)
    if how == "by role id":
        # The id counts before the organisation.
        _works_at(client, "hospital", "RBA", "555254240100")

    back = come_back(browser.application.test_client(), "gp")
    other = browser.application.test_client()
    come_back(other, "gp")

    session = session_of(around, other)
    assert gone_to(back) == "/auth/apps"
    assert session.complete
    assert session.role is not None
    assert session.role.organisation == ("hospital" if how == "by role id" else "northside")


@pytest.mark.parametrize("change", ["left", "elsewhere", "no account"])
def test_t34_a_role_that_is_none_here_lets_nobody_in(
    around: Surroundings, browser: FlaskClient, client: Client, change: str
) -> None:
    """Not by another role of theirs, either."""
    _two_workplaces(around, browser, client)
    if change == "left":
        _works_at(client, "northside", "A81001", active=False)
    elif change == "elsewhere":
        _works_at(client, "northside", "B99999")
    else:
        with around.store.read() as connection:
            (owner,) = users.of_person(connection, "Practitioner/professional", around.clock())
        around.store.write(
            lambda connection: users.set_roles(connection, owner.id, [_at("hospital")])
        )
    other = browser.application.test_client()

    response = come_back(other, "gp")

    assert response.status_code == 403
    assert "in the role that you chose with NHS login" in response.text
    assert other.get_cookie("ehr-session") is None


def test_two_roles_at_the_place_chosen_are_chosen_from(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    _two_workplaces(around, browser, client, _at("northside"))

    assert come_back(browser.application.test_client(), "gp").location == "/auth/sign-in/role"


def test_an_account_elsewhere_is_of_one_user(around: Surroundings, browser: FlaskClient) -> None:
    signed_in(around, browser, make_user(around))
    come_back(browser, "doctor", links="yes")
    other = browser.application.test_client()
    signed_in(around, other, make_user(around, login="bo", fhir_user="Practitioner/bo"))

    response = come_back(other, "doctor", links="yes")

    assert response.status_code == 403
    assert "linked to somebody else" in response.text


def test_t34_what_comes_back_counts_once_and_in_the_browser_that_left(
    browser: FlaskClient, client: Client
) -> None:
    _mary(client)
    path = _answer(browser, "mary")
    stranger = browser.application.test_client()
    stranger.get("/auth/sign-in")

    elsewhere = stranger.get(path)
    first = browser.get(path)
    second = browser.get(path)

    assert elsewhere.status_code == 403
    assert gone_to(first) == "/auth/apps"
    assert second.status_code == 403


@pytest.mark.parametrize(
    ("change", "value"),
    [("iss", "https://evil.example.org"), ("code", "guessed"), ("state", "guessed")],
)
def test_t34_a_changed_answer_signs_nobody_in(
    browser: FlaskClient, client: Client, change: str, value: str
) -> None:
    _mary(client)
    path = Person.changed(_answer(browser, "mary"), change, value)

    response = browser.get(path)

    assert response.status_code == 403
    assert browser.get_cookie("ehr-session") is None


def test_an_answer_that_says_something_twice_is_refused(
    browser: FlaskClient, client: Client
) -> None:
    path = _answer(browser, "mary")

    assert browser.get(f"{path}&state=x").status_code == 400


def _at(place: str) -> Role:
    return Role("gp", f"GP at {place}", place)


def _two_workplaces(
    around: Surroundings, browser: FlaskClient, client: Client, *more: Role
) -> None:
    """Link the account `gp` to a professional who works in two places."""
    somebody_in(around, browser, roles=[_at("hospital"), _at("northside"), *more])
    come_back(browser, "gp", links="yes")
    _works_at(client, "northside", "A81001")
    _works_at(client, "hospital", "RBA")


def _works_at(
    client: Client, place: str, ods: str, role_id: str = "", *, active: bool = True
) -> None:
    code = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": ods}
    client.update({"resourceType": "Organization", "id": place, "identifier": [code]})
    role: dict[str, Any] = {"resourceType": "PractitionerRole", "id": place, "active": active}
    role["practitioner"] = {"reference": "Practitioner/professional"}
    role["organization"] = {"reference": f"Organization/{place}"}
    if role_id:
        role["identifier"] = [{"value": role_id}]
    client.update(role)


def come_back(browser: FlaskClient, account: str, **form: str) -> TestResponse:
    """Sign in at the provider and come back."""
    return browser.get(_answer(browser, account, **form))


def _answer(browser: FlaskClient, account: str, **form: str) -> str:
    """Return the path by which one comes back from the provider."""
    page = browser.get("/auth/account" if form else "/auth/sign-in?again=1")
    left = browser.post("/auth/sign-in/with/nhs", data={"csrf": csrf_in(page), **form})
    back = Person(account).sign_in(gone_to(left))
    assert back.startswith(RETURN), back
    return back.removeprefix("http://127.0.0.1:8000")


def _mary(client: Client, **changes: Any) -> None:
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NHS_NUMBER}
    patient = {"resourceType": "Patient", "id": "mary", "identifier": [number]}
    client.update({**patient, "birthDate": "1950-03-01", **changes})


def _issuer(around: Surroundings) -> str:
    issuer: str = around.options["upstream"][0].issuer
    return issuer
