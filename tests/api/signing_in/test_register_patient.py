"""Registering a patient, then printing or sending their invitation."""

import email
import email.policy
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.authorizing.own_reading import principal_of
from auth.sign_in.users import Role
from auth.surroundings import NewPatient, Surroundings
from ehr.app import create_app
from ehr.people import NATIONAL
from ehr.record import Record
from tests import given, mail_server, oauth_flow
from tests.client import Client
from tests.mail_server import Mailbox
from tests.signing_in import csrf_in, gone_to, make_user, send, session_of, signed_in

NEW, INVITE = "/auth/patients/new", "/auth/invite"
MANAGER = Role("receptionist", "Receptionist at Northside", "northside", manages=True)
GP_MANAGER = Role("gp", "GP at Northside", "northside", manages=True)
BORN = {"day": "28", "month": "2", "year": "1948"}
MARY = {"given": "Mary Ann", "family": "Murray", **BORN, "kind": "nhs", "number": "943 476 5919"}


@pytest.fixture
def manager(around: Surroundings, browser: FlaskClient) -> FlaskClient:
    """Give the browser of who manages an organisation."""
    signed_in(around, browser, make_user(around, roles=[MANAGER]))
    return browser


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """Give a server that takes e-mail."""
    with mail_server.served() as box:
        yield box


@pytest.fixture
def sender(record: Record, mailbox: Mailbox) -> FlaskClient:
    """Give the browser of a manager where e-mail is sent."""
    url = f"smtp://127.0.0.1:{mailbox.port}"
    settings = replace(record.settings, smtp_url=url, mail_from="record@example.org")
    browser = create_app(replace(record, settings=settings)).test_client()
    signed_in(record, browser, make_user(record, roles=[MANAGER]))
    return browser


def test_a_patient_is_registered_and_joins(
    manager: FlaskClient, around: Surroundings, client: Client
) -> None:
    done = send(manager, NEW, MARY)
    page = manager.get(str(done.location))
    id = _person(done)
    printed = manager.post(INVITE, data={"csrf": csrf_in(page), "kind": "patient", "person": id})
    theirs = manager.application.test_client()
    told = send(theirs, "/auth/join", {"code": _code(printed), **BORN})

    patient = client.read(id)
    assert "The record has a new patient" in page.text
    assert "Mary Ann Murray" in page.text
    assert "943 476 5919" in page.text
    assert patient["identifier"] == [
        {"use": "official", "system": NATIONAL[0], "value": "9434765919"}
    ]
    assert patient["birthDate"] == "1948-02-28"
    assert patient["name"][0]["given"] == ["Mary", "Ann"]
    assert "Choose how you sign in" in told.text
    # No number stands in an address.
    assert "9434765919" not in str(done.location)


def test_who_was_registered_is_invited_by_one_button(
    manager: FlaskClient, around: Surroundings
) -> None:
    """No id stands in a field to be filled in, and no role of colleagues is asked of a patient."""
    page = manager.get(str(send(manager, NEW, MARY).location))
    sent = oauth_flow.hidden(page)
    make_user(around, "patient", fhir_user=sent["person"], patients=[sent["person"][8:]])
    refused = manager.post(INVITE, data=sent)

    assert "Mary Ann Murray</strong><br>Born 28 February 1948" in page.text
    for answer in (page, refused):
        assert 'type="text"' not in answer.text
        assert "Role of a colleague" not in answer.text
        assert 'id="person"' in answer.text
    assert "has an account already" in refused.text
    assert "Role of a colleague" in manager.get(INVITE).text


def test_it_is_written_as_the_professional(
    manager: FlaskClient, record: Record, client: Client
) -> None:
    id = _person(send(manager, NEW, MARY))

    history = client.get(f"{id}/_history").get_json()

    assert history["total"] == 1
    assert "Practitioner/professional" in _writers(record)


def test_who_is_there_already_is_shown_and_not_written_twice(
    manager: FlaskClient, client: Client
) -> None:
    first = _person(send(manager, NEW, MARY))
    again = send(manager, NEW, {**MARY, "given": "Marie", "number": "9434765919"})
    page = manager.get(str(again.location))

    assert _person(again) == first
    assert "nothing was written" in page.text
    assert "Mary Ann Murray" in page.text
    assert client.get("Patient?family=Murray").get_json()["total"] == 1


def test_who_is_registered_elsewhere_is_not_written_twice(
    manager: FlaskClient, client: Client
) -> None:
    """They are not seen by who has nothing to do with them; two records would be worse."""
    number = {"system": NATIONAL[0], "value": "9434765919"}
    client.update({**given.patient("Mary", "Murray", identifier=[number]), "id": "elsewhere"})

    answer = send(manager, NEW, MARY)

    assert answer.status_code == 422
    assert "who is not registered with your organisation" in answer.text
    assert "Patient/elsewhere" not in answer.text
    assert client.get("Patient?family=Murray").get_json()["total"] == 1


def test_a_practice_that_registers_is_theirs(manager: FlaskClient, client: Client) -> None:
    client.update(given.practice("Northside", id="northside"))

    person = _person(send(manager, NEW, MARY))

    assert client.read(person)["generalPractitioner"] == [{"reference": "Organization/northside"}]


def test_a_hospital_that_registers_is_nobodys_practice(
    manager: FlaskClient, client: Client
) -> None:
    """Its front desk sees them for a day all the same, and does not write them twice."""
    done = send(manager, NEW, MARY)
    again = send(manager, NEW, MARY)

    assert "generalPractitioner" not in client.read(_person(done))
    assert "Mary Ann Murray" in manager.get(str(done.location)).text
    assert _person(again) == _person(done)
    [task] = client.read(f"Task?patient={_person(done)}")["entry"]
    assert task["resource"]["code"]["coding"][0]["code"] == "self-claim"
    assert task["resource"]["owner"] == {"reference": "Organization/northside"}


def test_a_manager_of_another_role_is_told_who_registers(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    signed_in(around, browser, make_user(around, roles=[GP_MANAGER]))

    refused = [browser.get(NEW), browser.post(NEW, data=MARY)]
    pages = [browser.get(path).text for path in ("/auth/account", INVITE)]

    assert {each.status_code for each in refused} == {403}
    assert "Only the front desk of an organisation registers patients" in refused[0].text
    for page in pages:
        assert "/auth/invite" in page
        assert NEW not in page
    assert client.get("Patient?family=Murray").get_json()["total"] == 0


def test_two_at_once_write_one(manager: FlaskClient, around: Surroundings, client: Client) -> None:
    """Whoever looks first and then writes would make two."""
    caller = principal_of(session_of(around, manager))
    new = NewPatient("Mary", "Murray", "1948-02-28", NATIONAL[0], "9434765919")

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: around.people.register(caller, new), range(4)))

    assert len({patient.id for patient, _ in done}) == 1
    assert sorted(was_known for _, was_known in done) == [False, True, True, True]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"given": " "}, "Enter the first name"),
        ({"family": ""}, "Enter the last name"),
        ({"day": "30"}, "Enter a real date of birth"),
        ({"year": "2200"}, "that is past"),
        ({"year": "1800"}, "not too long ago"),
        ({"kind": ""}, "Choose what kind of number"),
        ({"number": "943 476 5918"}, "its last digit does not fit"),
        ({"number": "943 476 591"}, "has 10 digits"),
        ({"number": "٩٤٣٤٧٦٥٩١٩"}, "has 10 digits"),
        ({"kind": "chi"}, "does not begin with the date of birth"),
    ],
)
def test_what_does_not_fit_is_told_and_nothing_is_written(
    manager: FlaskClient, client: Client, change: dict[str, str], text: str
) -> None:
    answer = send(manager, NEW, {**MARY, **change})

    assert answer.status_code == 422
    assert text in answer.text
    assert "Murray" in answer.text or "family" in change
    assert client.get("Patient?family=Murray").get_json()["total"] == 0


def test_a_chi_number_is_taken(manager: FlaskClient, client: Client) -> None:
    id = _person(send(manager, NEW, {**MARY, "kind": "chi", "number": "2802480138"}))

    (identifier,) = client.read(id)["identifier"]
    assert (identifier["system"], identifier["value"]) == (NATIONAL[1], "2802480138")


def test_nobody_else_registers(around: Surroundings, browser: FlaskClient, client: Client) -> None:
    signed_in(around, browser, make_user(around))
    refused = [browser.get(NEW), browser.post(NEW, data=MARY)]
    patient = browser.application.test_client()
    signed_in(around, patient, make_user(around, "patient"))
    refused += [patient.get(NEW), patient.post(NEW, data=MARY)]
    manager = browser.application.test_client()
    known = make_user(around, login="m", fhir_user="Practitioner/m", roles=[MANAGER])
    signed_in(around, manager, known)
    forged = manager.post(NEW, data=MARY)

    assert {each.status_code for each in refused} == {403}
    assert forged.status_code == 403
    assert client.get("Patient?family=Murray").get_json()["total"] == 0


def test_an_invitation_is_sent_and_tells_nothing_of_the_person(
    sender: FlaskClient, mailbox: Mailbox
) -> None:
    printed = _invite(sender, "mary@example.org")

    (text,) = mailbox.messages
    message = email.message_from_string(text, policy=email.policy.default)
    body = message.get_content()
    assert "Sent to mary@example.org" in printed.text
    assert mailbox.recipients == ["TO:<mary@example.org>"]
    assert (message["From"], message["To"]) == ("record@example.org", "mary@example.org")
    assert "http://127.0.0.1:8000/auth/join" in body
    assert _code(printed) in body
    for secret in ("Mary", "Murray", "1948", "28 February", "9434765919", "943 476 5919", "GP"):
        assert secret not in text.replace("mary@example.org", "")


@pytest.mark.parametrize("address", ["refused@example.org", "mary@example.org"])
def test_what_is_not_sent_is_told_and_nothing_is_lost(
    sender: FlaskClient, mailbox: Mailbox, address: str
) -> None:
    if address.startswith("mary"):
        mailbox.refused = "@"  # takes nobody
    printed = _invite(sender, address)
    theirs = sender.application.test_client()

    told = send(theirs, "/auth/join", {"code": _code(printed), **BORN})

    assert mailbox.messages == []
    assert f"The e-mail to {address} was not sent" in printed.text
    assert "print this page" in printed.text
    assert "Choose how you sign in" in told.text


@pytest.mark.parametrize(
    "address", ["mary", "a@b.org\r\nBcc: c@d.org", "a@b.org, c@d.org", "<a@b.org>", "a@b", "@b.org"]
)
def test_what_is_no_address_is_refused(sender: FlaskClient, mailbox: Mailbox, address: str) -> None:
    answer = _invite(sender, address)

    assert answer.status_code == 422
    assert "Enter an e-mail address such as" in answer.text
    assert (mailbox.messages, mailbox.recipients) == ([], [])


def test_t24_an_invitation_without_a_second_factor_is_never_sent(
    sender: FlaskClient, mailbox: Mailbox, client: Client
) -> None:
    client.update({"resourceType": "Organization", "id": "northside", "name": "Northside"})
    client.update({"resourceType": "Practitioner", "id": "bob", "name": [{"text": "Bob"}]})
    works = {"practitioner": {"reference": "Practitioner/bob"}}
    place = {"organization": {"reference": "Organization/northside"}}
    client.update({"resourceType": "PractitionerRole", "id": "r", **works, **place})
    asked = {"kind": "professional", "person": "bob", "role": "nurse", "mail": "bob@example.org"}

    answer = send(sender, INVITE, asked)

    assert answer.status_code == 422
    assert "is handed over" in answer.text
    assert mailbox.messages == []


def test_where_no_server_is_named_invitations_are_printed(manager: FlaskClient) -> None:
    assert "E-mail address" not in manager.get(INVITE).text
    assert "Print this page" in _invite(manager, "mary@example.org").text


def _invite(browser: FlaskClient, address: str) -> TestResponse:
    person = _person(send(browser, NEW, MARY))
    return send(browser, INVITE, {"kind": "patient", "person": person, "mail": address})


def _person(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(gone_to(answer)).query)["person"][0]


def _code(answer: TestResponse) -> str:
    found = re.search("<code>([A-Z0-9-]+)</code>", answer.text)
    assert found is not None, answer.text
    return found[1]


def _writers(record: Record) -> str:
    with record.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM version").all()
    return str(rows)
