"""Joining by invitation: once, within ten days, with the birth date, in five tries."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select, update
from werkzeug.test import TestResponse

from auth import scopes
from auth.authorizing import approvals
from auth.joining import identities, invitations, inviting
from auth.models import identity, invitation
from auth.principal import Principal
from auth.sign_in import credentials, users
from auth.sign_in.users import Role
from auth.surroundings import Surroundings
from tests.client import Client
from tests.signing_in import (
    GP,
    PASSWORD,
    csrf_in,
    gone_to,
    make_user,
    registered,
    send,
    send_password,
    session_of,
    signed_in,
    somebody_in,
)

CALLER = Principal("tests", "operator", "tests")
BIRTH = {"day": "1", "month": "3", "year": "1950"}
LOGIN = "mary@example.org"

MANAGER = Role("gp", "GP at Northside", "northside", manages=True)


@pytest.fixture
def code(around: Surroundings, client: Client) -> str:
    """Give the code of an invitation for a patient."""
    client.update({"resourceType": "Patient", "id": "mary", "birthDate": "1950-03-01"})
    return _invite(around, "patient", "mary")


def test_a_patient_joins_and_opens_their_record(
    around: Surroundings, browser: FlaskClient, code: str
) -> None:
    response = _join(browser, code)

    assert gone_to(response) == "/auth/apps"
    user = session_of(around, browser).user
    assert (user.kind, user.login, user.fhir_user) == ("patient", LOGIN, "Patient/mary")
    assert user.patients == ("mary",)


def test_a_code_may_be_typed_as_people_do(browser: FlaskClient, code: str) -> None:
    typed = f" {code.lower().replace('-', ' ')} "

    assert "Choose how you sign in" in _told(browser, typed).text


def test_a_carer_opens_the_record_of_their_patient(
    around: Surroundings, browser: FlaskClient, code: str, client: Client
) -> None:
    carer = {"resourceType": "RelatedPerson", "id": "ann", "birthDate": "1950-03-01"}
    client.update({**carer, "patient": {"reference": "Patient/mary"}})

    _join(browser, _invite(around, "carer", "ann"))

    user = session_of(around, browser).user
    assert (user.kind, user.patients) == ("carer", ("mary",))


def test_a_colleague_joins_and_sets_up_a_second_factor(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    client.update({"resourceType": "Practitioner", "id": "ada", "name": [{"text": "Ada"}]})
    made = _invite(around, "professional", "ada", (GP,))

    response = _join(browser, made, {})

    assert response.location == "/auth/sign-in/set-up"
    assert not session_of(around, browser).complete


def test_an_invitation_counts_once(around: Surroundings, browser: FlaskClient, code: str) -> None:
    _join(browser, code)

    again = _told(browser.application.test_client(), code)

    assert again.status_code == 422
    assert "the invitation is used or too old" in again.text


def test_an_invitation_ends_after_ten_days(
    around: Surroundings, browser: FlaskClient, code: str
) -> None:
    ten_days = 10 * 86_400_000
    around.store.write(
        lambda connection: connection.execute(
            update(invitation).values(expires=invitation.c.expires - ten_days)
        )
    )

    assert _told(browser, code).status_code == 422


def test_t24_five_tries_with_another_birth_date_end_an_invitation(
    browser: FlaskClient, code: str
) -> None:
    wrong = {**BIRTH, "day": "2"}

    answers = [_told(browser, code, wrong).status_code for _ in range(5)]
    right = _told(browser, code)

    assert answers == [422] * 5
    assert right.status_code == 422


def test_a_wrong_code_and_a_wrong_birth_date_get_the_same_answer(
    browser: FlaskClient, code: str
) -> None:
    birth = _told(browser, code, {**BIRTH, "day": "2"})
    guessed = _told(browser, "ABCD-2345-EFGH-6782", {**BIRTH, "day": "2"})

    assert birth.status_code == guessed.status_code
    assert birth.text.replace(code, "") == guessed.text.replace("ABCD-2345-EFGH-6782", "")


@pytest.mark.parametrize(
    "birth", [{"day": "31", "month": "2", "year": "1950"}, {"day": "x"}, {"day": "1"}]
)
def test_a_day_that_is_none_costs_no_try(
    around: Surroundings, browser: FlaskClient, code: str, birth: dict[str, str]
) -> None:
    response = _told(browser, code, birth)

    assert "Enter a real date" in response.text
    with around.store.read() as connection:
        assert connection.execute(select(invitation.c.tries)).scalar_one() == 0


def test_an_invitation_makes_one_account_however_many_try(around: Surroundings, code: str) -> None:
    made = credentials.hash_of(PASSWORD)
    (invited,) = _waiting(around)

    def accept(number: int) -> users.User | None:
        return around.store.write(
            lambda connection: invitations.accept(
                connection,
                invited,
                now=around.clock(),
                login=f"mary {number}",
                password_hash=made,
            )
        )

    with ThreadPoolExecutor(8) as pool:
        accounts = [one for one in pool.map(accept, range(8)) if one is not None]

    assert len(accounts) == 1


def test_a_sign_in_name_that_is_taken_keeps_the_invitation(
    around: Surroundings, browser: FlaskClient, code: str
) -> None:
    make_user(around, login=LOGIN)

    taken = _join(browser, code)

    assert taken.status_code == 422
    assert "This sign-in name is taken" in taken.text
    assert len(_waiting(around)) == 1


def test_a_weak_password_is_told_and_never_sent_back(browser: FlaskClient, code: str) -> None:
    page = _told(browser, code)

    response = _account(browser, page, "password1234")

    assert response.status_code == 422
    assert "Many people use this one" in response.text
    assert "password1234" not in response.text
    assert LOGIN in response.text


def test_a_ticket_of_another_browser_is_refused(browser: FlaskClient, code: str) -> None:
    """T6, T24: whoever gets hold of the page can't go on elsewhere."""
    page = _told(browser, code)
    other = browser.application.test_client()
    sent = {
        "csrf": csrf_in(other.get("/auth/join")),
        "ticket": _ticket(page),
        "login": LOGIN,
        "password": PASSWORD,
    }

    assert other.post("/auth/join/account", data=sent).status_code == 403


def test_a_dead_patient_does_not_join(browser: FlaskClient, client: Client, code: str) -> None:
    client.update({**client.read("Patient/mary"), "deceasedBoolean": True})

    response = _told(browser, code)

    assert response.status_code == 403
    assert "this person has died" in response.text


def test_a_new_invitation_lets_in_anew_who_lost_a_device(
    around: Surroundings, browser: FlaskClient
) -> None:
    known = somebody_in(around, browser)
    before = session_of(around, browser)
    made = _invite(around, "professional", "professional", (GP,), known.user.id)
    other, third = (browser.application.test_client() for _ in range(2))

    meanwhile = send_password(third, known.user.login, PASSWORD)
    response = _join(other, made, {}, "seven lanterns by the harbour")

    assert meanwhile.status_code == 303  # the old ways hold until the code is used
    assert response.location == "/auth/sign-in/set-up"
    assert session_of(around, other).user.id == before.user.id
    assert browser.get("/auth/account").location.startswith("/auth/sign-in?")
    assert send_password(browser, known.user.login, PASSWORD).status_code == 422


def test_t24_what_an_intruder_linked_or_allowed_ends_with_a_new_invitation(
    around: Surroundings, browser: FlaskClient
) -> None:
    id, now = make_user(around).user.id, around.clock()

    def intrude(connection: Connection) -> None:
        theirs = {"issuer": "https://id.example", "subject": "theirs", "level": "", "linked": now}
        connection.execute(insert(identity).values(user_id=id, **theirs))
        approvals.remember(connection, id, "app", scopes.parse("user/*.rs"), now)

    around.store.write(intrude)
    _join(browser, _invite(around, "professional", "professional", (GP,), id), {})

    with around.store.read() as connection:
        assert identities.of_user(connection, id) == []
        assert not approvals.remembered(connection, id, "app", now).covers(
            scopes.parse("user/Patient.r")
        )


def test_who_manages_an_organisation_invites_a_colleague_there(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    client.update({"resourceType": "Organization", "id": "northside", "name": "Northside"})
    client.update({"resourceType": "Practitioner", "id": "bo", "name": [{"text": "Bo Lie"}]})
    client.update(_works("bo", "northside"))
    signed_in(around, browser, make_user(around, roles=[MANAGER]))
    sent = {"kind": "professional", "person": "bo", "role": "nurse"}

    page = send(browser, "/auth/invite", sent)

    assert "Invitation for Bo Lie" in page.text
    made = re.search(r"<code>([A-Z0-9-]{19})</code>", page.text)
    assert made is not None
    (invited,) = _waiting(around)
    assert invited.roles == (Role("nurse", "Nurse at Northside", "northside"),)


@pytest.mark.parametrize("most", [1, 2])
def test_who_invites_is_told_how_many_colleagues_are_not_listed(
    around: Surroundings,
    browser: FlaskClient,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    monkeypatch.setattr(inviting, "MOST_SHOWN", most)
    client.update({"resourceType": "Organization", "id": "northside", "name": "Northside"})
    for id in ("bo", "cy"):
        client.update({"resourceType": "Practitioner", "id": id, "name": [{"text": id.title()}]})
        client.update(_works(id, "northside"))
    signed_in(around, browser, make_user(around, roles=[MANAGER]))

    page = browser.get("/auth/invite")

    assert "Bo: Practitioner/bo" in page.text
    assert ("Cy: Practitioner/cy" in page.text) == (most == 2)
    assert ("Not listed here: 1." in page.text) == (most == 1)


@pytest.mark.parametrize(
    ("person", "role", "why"),
    [
        ("bo", "nurse", "does not say that they work at your organisation"),
        ("left", "nurse", "does not say that they work at your organisation"),
        ("professional", "nurse", "This is you"),
        ("here", "chief", "Choose the role of your colleague"),
    ],
)
def test_t24_who_manages_an_organisation_gets_no_account_of_anybody_elsewhere(
    around: Surroundings, browser: FlaskClient, client: Client, person: str, role: str, why: str
) -> None:
    for id in ("northside", "hospital"):
        client.update({"resourceType": "Organization", "id": id, "name": id})
    for id, place in (("bo", "hospital"), ("left", "northside"), ("here", "northside")):
        client.update({"resourceType": "Practitioner", "id": id, "name": [{"text": id}]})
        client.update({**_works(id, place), "active": id != "left"})
    signed_in(around, browser, make_user(around, roles=[MANAGER]))
    sent = {"kind": "professional", "person": person, "role": role, "title": "Consultant"}

    page = send(browser, "/auth/invite", sent)

    assert page.status_code == 422
    assert why in page.text
    assert _waiting(around) == []


def _works(practitioner: str, organisation: str) -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole",
        "id": f"{practitioner}-there",
        "practitioner": {"reference": f"Practitioner/{practitioner}"},
        "organization": {"reference": f"Organization/{organisation}"},
    }


def test_who_has_an_account_is_sent_to_people_and_not_to_a_command(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    mary = {"resourceType": "Patient", "id": "mary", "birthDate": "1950-03-01"}
    client.update({**mary, **registered(client)})
    signed_in(around, browser, make_user(around, roles=[MANAGER]))
    make_user(around, "patient", fhir_user="Patient/mary", patients=["mary"])

    page = send(browser, "/auth/invite", {"kind": "patient", "person": "mary"})

    assert page.status_code == 422
    assert "Ask the people who run this server to let them in again." in page.text
    assert "Mary Murray 1948-03-02" in page.text  # the hint is of somebody in the demo
    assert "`" not in page.text


def test_nobody_is_invited_by_who_has_nothing_to_do_with_them(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    client.update({"resourceType": "Patient", "id": "mary", "birthDate": "1950-03-01"})
    signed_in(around, browser, make_user(around, roles=[MANAGER]))

    page = send(browser, "/auth/invite", {"kind": "patient", "person": "mary"})

    assert page.status_code == 422
    assert "The record has no such person" in page.text


def test_who_manages_nothing_invites_nobody(around: Surroundings, browser: FlaskClient) -> None:
    signed_in(around, browser, make_user(around))

    refused = browser.get("/auth/invite")
    assert refused.status_code == 403
    assert "Only people who manage an organisation can register or invite people." in refused.text
    sent = {"csrf": session_of(around, browser).csrf, "kind": "patient", "person": "mary"}
    assert browser.post("/auth/invite", data=sent).status_code == 403


def test_the_app_of_a_colleague_who_joined_signs_them_in(
    around: Surroundings, browser: FlaskClient, client: Client
) -> None:
    client.update({"resourceType": "Practitioner", "id": "ada", "name": [{"text": "Ada"}]})
    _join(browser, _invite(around, "professional", "ada", (GP,)), {})

    offered = browser.get("/auth/account/app")
    found = re.search("Key: <code>([A-Z2-7 ]+)</code>", offered.text)
    assert found is not None
    code = pyotp.TOTP(found[1].replace(" ", "")).now()
    page = browser.post("/auth/account/app", data={"csrf": csrf_in(offered), "code": code})

    assert "Write down your recovery codes" in page.text
    assert session_of(around, browser).complete


def _invite(
    around: Surroundings,
    kind: str,
    person: str,
    roles: tuple[Role, ...] = (),
    user_id: str | None = None,
) -> str:
    invited = inviting.whom(around, CALLER, kind, f"{users.TYPES[kind]}/{person}", roles)
    return around.store.write(
        lambda connection: inviting.invite(
            connection, around, invited, invited_by="tests", user_id=user_id
        )
    )


def _waiting(around: Surroundings) -> list[invitations.Invitation]:
    def read(connection: Connection) -> list[invitations.Invitation]:
        return invitations.waiting(connection, around.clock())

    with around.store.read() as connection:
        return read(connection)


def _told(browser: FlaskClient, code: str, birth: dict[str, str] | None = None) -> TestResponse:
    return send(browser, "/auth/join", {"code": code, **(BIRTH if birth is None else birth)})


def _join(
    browser: FlaskClient,
    code: str,
    birth: dict[str, str] | None = None,
    password: str = PASSWORD,
) -> TestResponse:
    return _account(browser, _told(browser, code, birth), password)


def _account(browser: FlaskClient, page: TestResponse, password: str) -> TestResponse:
    sent = {"csrf": csrf_in(page), "ticket": _ticket(page), "login": LOGIN, "password": password}
    return browser.post("/auth/join/account", data=sent)


def _ticket(page: TestResponse) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]
