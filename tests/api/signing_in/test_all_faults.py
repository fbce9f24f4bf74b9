"""Forms tell all that is wrong with them at once, and whom a manager may invite."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.joining import inviting
from auth.principal import Principal
from auth.sign_in.users import Role
from auth.surroundings import Surroundings
from tests.client import Client
from tests.signing_in import csrf_in, make_user, send, signed_in

MANAGER = Role("receptionist", "Receptionist at Northside", "northside", manages=True)
NEW, INVITE, JOIN = "/auth/patients/new", "/auth/invite", "/auth/join"


@pytest.fixture
def manager(around: Surroundings, browser: FlaskClient) -> FlaskClient:
    """Give the browser of who manages an organisation."""
    signed_in(around, browser, make_user(around, roles=[MANAGER]))
    return browser


def _told(page: TestResponse) -> list[str]:
    """Return the fields that the summary leads to; each of them must be on the page, and say so."""
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    summary = page.text.partition("There is a problem")[2].partition("</ul>")[0]
    fields = re.findall(r'href="#([a-z-]+)"', summary)
    for each in fields:
        assert f'id="{each}"' in page.text
    assert page.text.count("nhsuk-error-message") == len(fields)
    return fields


def test_registering_a_patient_tells_all(manager: FlaskClient) -> None:
    assert _told(send(manager, NEW, {})) == ["given", "family", "day", "kind", "number"]


def test_what_is_right_is_not_told(manager: FlaskClient) -> None:
    """A CHI number is held against a date of birth only where there is one."""
    typed = {"given": "Mary", "kind": "chi", "number": "2802480138", "day": "31", "month": "2"}

    assert _told(send(manager, NEW, typed)) == ["family", "day"]


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({}, ["kind", "person"]),
        ({"kind": "professional"}, ["person", "role"]),
        ({"kind": "professional", "person": "bo", "role": "king"}, ["role"]),
        ({"kind": "nobody", "person": "bo"}, ["kind"]),
    ],
)
def test_inviting_tells_all(manager: FlaskClient, typed: dict[str, str], fields: list[str]) -> None:
    assert _told(send(manager, INVITE, typed)) == fields


def test_who_may_be_invited_stands_on_the_page(manager: FlaskClient, client: Client) -> None:
    """Who has an account, left, or works elsewhere does not."""
    people = {"bo": "northside", "left": "northside", "elsewhere": "southside"}
    for id in ("northside", "southside"):
        client.update({"resourceType": "Organization", "id": id, "name": id})
    for id, place in people.items():
        client.update({"resourceType": "Practitioner", "id": id, "name": [{"text": f"Dr {id}"}]})
        client.update(
            {
                "resourceType": "PractitionerRole",
                "id": id,
                "active": id != "left",
                "practitioner": {"reference": f"Practitioner/{id}"},
                "organization": {"reference": f"Organization/{place}"},
            }
        )

    shown = re.findall(r"<li>([^<]*: Practitioner/[^<]*)</li>", manager.get(INVITE).text)

    assert shown == ["Dr bo: Practitioner/bo"]


def test_joining_tells_all(around: Surroundings, client: Client, browser: FlaskClient) -> None:
    client.update({"resourceType": "Patient", "id": "mary", "birthDate": "1950-03-01"})
    caller = Principal("tests", "operator", "tests")
    invited = inviting.whom(around, caller, "patient", "Patient/mary")
    code = around.store.write(lambda c: inviting.invite(c, around, invited, invited_by="tests"))

    no_code = send(browser, JOIN, {"day": "31", "month": "2", "year": "1950"})
    page = send(browser, JOIN, {"code": code, "day": "1", "month": "3", "year": "1950"})
    ticket = re.findall(r'name="ticket" value="([^"]+)"', page.text)[-1]
    none = browser.post("/auth/join/account", data={"csrf": csrf_in(page), "ticket": ticket})

    assert _told(no_code) == ["code", "day"]
    assert _told(none) == ["login", "password"]
