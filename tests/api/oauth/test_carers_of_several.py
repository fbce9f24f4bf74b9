"""Carers of several people (J5): one account, and a RelatedPerson of the record for each of them.

A token is of the patient who was chosen, and says and may do what that RelatedPerson may.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from auth.authorizing import authorizations, permissible
from auth.sign_in import sessions, users
from auth.sign_in.users import User
from auth.surroundings import Surroundings
from tests import given, signing_in
from tests import token_flow as flow
from tests.client import Client

SCOPE = "openid fhirUser launch/patient patient/*.rs offline_access"
HERS, HIS = "RelatedPerson/for-mary", "RelatedPerson/for-john"


@dataclass(frozen=True, slots=True)
class Carer:
    """A carer of Mary and of John, and the app that asks for them."""

    user: User
    password: str
    app: flow.App


@pytest.fixture
def carer(around: Surroundings, client: Client) -> Carer:
    """Make a carer who is one RelatedPerson for Mary and another for John."""
    for id in ("mary", "john"):
        client.update(given.patient(id=id))
        client.update(given.observation(f"Patient/{id}", id=f"of-{id}"))
    for person, patient in ((HERS, "mary"), (HIS, "john")):
        signing_in.let_act(around, person, patient)
    known = signing_in.make_user(around, "carer", patients=["mary"], fhir_user=HERS)
    around.store.write(
        lambda connection: users.open_patient(
            connection, known.user.id, "john", users.PROXY, person=HIS
        )
    )
    with around.store.read() as connection:
        user = users.needed(connection, known.user.id, around.clock())
    return Carer(user, known.password, flow.app(around, scope=SCOPE))


def told(around: Surroundings, web: FlaskClient, carer: Carer, patient: str) -> dict[str, Any]:
    """Return the token response for a patient whom the carer chose."""
    code = flow.code(around, carer.app, carer.user, patient=patient, scope=SCOPE)
    answer: dict[str, Any] = flow.exchange(web, carer.app, code).get_json()
    return answer


@pytest.mark.parametrize(
    ("patient", "person", "other"), [("mary", HERS, "john"), ("john", HIS, "mary")]
)
def test_j5_a_carer_opens_the_record_of_who_was_chosen(
    around: Surroundings, web: FlaskClient, carer: Carer, patient: str, person: str, other: str
) -> None:
    tokens = told(around, web, carer, patient)
    again = flow.refresh(web, carer.app, tokens["refresh_token"]).get_json()

    for one in (tokens, again):
        app = Client(web, one["access_token"])
        assert one["patient"] == patient
        assert app.get(f"Patient/{patient}").status_code == 200
        assert app.get(f"Observation/of-{patient}").status_code == 200
        assert app.get(f"Patient/{other}").status_code == 404
        assert app.get(f"Observation/of-{other}").status_code == 404
        shown = web.get(
            "/auth/userinfo", headers={"Authorization": f"Bearer {one['access_token']}"}
        )
        assert shown.get_json()["fhirUser"].endswith(f"/{person}")


def test_both_are_offered(around: Surroundings, carer: Carer) -> None:
    from auth.authorizing.authorization_steps import patients_of

    session = flow.session(around, carer.user)

    assert {one.id for one in patients_of(around, session)} == {"mary", "john"}


def test_what_a_carer_writes_names_who_they_are_there(
    around: Surroundings, web: FlaskClient, client: Client, carer: Carer
) -> None:
    app = flow.app(around, scope="launch/patient patient/*.crs")
    code = flow.code(around, app, carer.user, patient="john", scope="launch/patient patient/*.crs")
    token = flow.exchange(web, app, code).get_json()["access_token"]
    message = {
        "resourceType": "Communication", "status": "completed",
        "subject": given.reference("Patient/john"), "payload": [{"contentString": "He fell."}],
    }  # fmt: skip

    made = Client(web, token).create(message)

    assert made["sender"]["reference"] == HIS
    [provenance] = client.read(f"Provenance?target=Communication/{made['id']}")["entry"]
    agent = provenance["resource"]["agent"][0]
    assert agent["who"]["reference"] == HIS
    assert agent["onBehalfOf"]["reference"] == "Patient/john"


def test_who_no_longer_acts_for_one_still_does_for_the_other(
    around: Surroundings, web: FlaskClient, client: Client, carer: Carer
) -> None:
    """The account is of Mary's RelatedPerson; that one ends, John's goes on."""
    hers, his = told(around, web, carer, "mary"), told(around, web, carer, "john")
    client.update(client.read(HERS) | {"active": False})

    assert Client(web, hers["access_token"]).get("Patient/mary").status_code == 401
    refused = flow.refresh(web, carer.app, hers["refresh_token"])
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")
    assert Client(web, his["access_token"]).get("Patient/john").status_code == 200
    assert flow.refresh(web, carer.app, his["refresh_token"]).status_code == 200
    signed_in = signing_in.send_password(web, carer.user.login, carer.password)
    assert signed_in.status_code != 403


def test_who_acts_for_nobody_any_more_does_not_sign_in(
    around: Surroundings, web: FlaskClient, client: Client, carer: Carer
) -> None:
    _, session = sessions.begin(around, sessions.Step(carer.user.id, ("pwd",), complete=True))
    for person in (HERS, HIS):
        client.update(client.read(person) | {"active": False})

    refused = signing_in.send_password(web, carer.user.login, carer.password)

    assert refused.status_code == 403
    assert session.complete


def test_a_grant_ends_where_somebody_else_acts_by_now(
    around: Surroundings, web: FlaskClient, carer: Carer
) -> None:
    his = told(around, web, carer, "john")
    signing_in.let_act(around, "RelatedPerson/another", "john")
    around.store.write(
        lambda connection: users.open_patient(
            connection, carer.user.id, "john", users.PROXY, person="RelatedPerson/another"
        )
    )

    assert flow.refresh(web, carer.app, his["refresh_token"]).status_code == 400


def test_nobody_opens_by_one_what_only_the_other_may(
    around: Surroundings, carer: Carer, client: Client
) -> None:
    """John's Consent ended: that Mary's is in force opens nothing of his."""
    for entry in client.read("Consent?patient=john")["entry"]:
        client.update(entry["resource"] | {"status": "inactive"})
    kept = flow.request(around, carer.app, scope=SCOPE)
    session, granted = flow.session(around, carer.user), permissible.grantable(kept)

    url = authorizations.approve(around, kept, session, granted, {"patient": "john"})

    assert flow.answer_in(url)["error"] == "access_denied"


def test_an_account_is_found_by_each_of_its_persons(around: Surroundings, carer: Carer) -> None:
    with around.store.read() as connection:
        for person in (HERS, HIS):
            [found] = users.of_person(connection, person, around.clock())
            assert found.id == carer.user.id
            assert json.dumps(found.others) == json.dumps({"john": HIS})
