"""Users for tests, and signing in as one through the real pages.

user = signing_in.make_user(record, "professional", roles=[Role("gp", "GP at Northside")])
signing_in.signed_in(record, flask_client, user)   the client has the cookie of a whole session
mary = client.create(given.patient(**signing_in.registered(client)))   whose GP the user is
"""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

import pyotp
from flask.testing import FlaskClient
from sqlalchemy import Connection, update
from werkzeug.test import TestResponse

from auth import tokens
from auth.models import totp
from auth.sign_in import credentials, one_time_codes, sessions, users
from auth.sign_in.sessions import Session
from auth.sign_in.users import Role, User
from auth.surroundings import Surroundings
from ehr.app import create_app, surroundings_of
from tests import given as described
from tests.client import Client
from tests.policy.naive.vocabulary import (
    AREAS,
    CONSENT_KIND,
    CONSENT_SCOPE,
    PROXY_ACTION,
    PROXY_AREA,
)

if TYPE_CHECKING:
    from ehr.record import Record

PASSWORD = "plum harbour seven lanterns"
BIRTH_DATE = "1950-03-01"
_ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
GP = Role("gp", "GP at Northside Practice", "northside")


@dataclass(frozen=True)
class Known:
    """A user and all that they know."""

    user: User
    password: str
    secret: str | None = None


def make_user(
    given: "Record | Surroundings",
    kind: str = "professional",
    *,
    login: str | None = None,
    fhir_user: str | None = None,
    name: str = "Ada Nordmann",
    roles: Iterable[Role] | None = None,
    patients: Sequence[str] = (),
    with_totp: bool | None = None,
) -> Known:
    """Make a user with a password; professionals have a role and an authenticator app as well.

    Who they are in the record is made there, where it is not, with the organisations of their roles
    and the Consent by which a carer acts for the first of the patients.
    """
    around = _around(given)
    fhir_user = fhir_user or f"{users.TYPES[kind]}/{kind}"
    for patient in patients:
        _be_there(around, f"Patient/{patient}", "Mary Murray")
    _be_there(around, fhir_user, name, *patients[:1])
    if kind == "carer" and patients:
        let_act(around, fhir_user, patients[0], name)
    secret = one_time_codes.new_secret()
    has_totp = kind == "professional" if with_totp is None else with_totp
    hash, now = credentials.hash_of(PASSWORD), around.clock()
    if roles is None:
        roles = [GP] if kind == "professional" else []
    roles = list(roles)
    for organisation in {role.organisation for role in roles if role.organisation}:
        _be_there(around, f"Organization/{organisation}", f"{organisation.title()} Practice")

    def work(connection: Connection) -> User:
        made = users.create(
            connection,
            kind=kind,
            login=login or f"{kind}@example.org",
            name=name,
            fhir_user=fhir_user,
            now=now,
            roles=roles,
            patients=patients,
        )
        credentials.set_hash(connection, made.id, hash, now)
        if has_totp:
            one_time_codes.set_totp(connection, around, made.id, secret, 0)
        return made

    return Known(around.store.write(work), PASSWORD, secret if has_totp else None)


def let_act(around: Surroundings, carer: str, patient: str, name: str = "Ada Nordmann") -> None:
    """Let a carer act for a patient in everything; make who is not there."""
    _be_there(around, carer, name, patient)
    _put(around, _proxy(carer, patient))


def registered(client: Client, at: str = "northside") -> dict[str, Any]:
    """Return what of a Patient says that an organisation is their practice; make it."""
    practice = {"resourceType": "Organization", "id": at, "name": f"{at.title()} Practice"}
    client.update(practice)
    return {"generalPractitioner": [{"reference": f"Organization/{at}"}]}


def somebody_in(
    given: "Record | Surroundings",
    flask_client: FlaskClient,
    kind: str = "professional",
    **more: Any,
) -> Known:
    """Make a user, `more` as `make_user` has it, and sign them in."""
    known = make_user(given, kind, **more)
    signed_in(given, flask_client, known)
    return known


def signed_in(
    given: "Record | Surroundings",
    flask_client: FlaskClient,
    known: Known,
    *,
    next: str = "",
    role: int | None = None,
) -> TestResponse:
    """Sign a user in through the pages, up to a complete session; return the last answer."""
    response = send_password(flask_client, known.user.login, known.password, next=next)
    if known.secret is not None:
        assert response.location == "/auth/sign-in/second-factor", response.text
        _forget_codes(_around(given), known.user)
        code = pyotp.TOTP(known.secret).now()
        response = send(flask_client, response.location, {"way": "totp", "code": code})
    if response.location == "/auth/sign-in/role":
        response = send(flask_client, response.location, {"role": str(role or 1)})
    assert "You are being taken on" in response.text, response.text
    return response


def send_password(
    flask_client: FlaskClient, login: str, password: str, next: str = ""
) -> TestResponse:
    """Send the form that asks for the password."""
    values = {"login": login, "password": password, "next": next}
    return send(flask_client, "/auth/sign-in?again=1", values, to="/auth/sign-in")


def send(
    flask_client: FlaskClient, path: str, values: dict[str, str], *, to: str | None = None
) -> TestResponse:
    """Load a page, fill in its form and send it."""
    loaded = flask_client.get(path)
    assert loaded.status_code == 200, (loaded.status_code, loaded.location, loaded.text)
    return flask_client.post(to or path, data={"csrf": csrf_in(loaded), **values})


def csrf_in(response: TestResponse) -> str:
    """Return what the forms of a page must bring back."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', response.text)
    assert found is not None, response.text
    return found[1]


def gone_to(response: TestResponse) -> str:
    """Return where an answer leads, by redirect or by the page that goes on."""
    if response.location is not None:
        return response.location
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', response.text)
    assert found is not None, response.text
    return unescape(found[1])


def session_of(given: "Record | Surroundings", flask_client: FlaskClient) -> Session:
    """Return the session of a browser, which must have one."""
    cookie = flask_client.get_cookie("ehr-session")
    found = None if cookie is None else sessions.current(_around(given), cookie.value)
    assert found is not None
    return found


def code_of(known: Known, offset: int = 0) -> str:
    """Return what a user's app shows now, or some steps from now."""
    assert known.secret is not None
    return pyotp.TOTP(known.secret).at(int(time.time()), counter_offset=offset)


def _be_there(around: Surroundings, reference: str, name: str, patient: str = "nobody") -> None:
    if around.people.exists(reference):
        return
    type, _, id = reference.partition("/")
    resource: dict[str, Any] = {"resourceType": type, "id": id, "name": [{"text": name}]}
    if type == "Organization":
        resource["name"] = name
    if type == "RelatedPerson":
        resource["patient"] = {"reference": f"Patient/{patient}"}
    if type in ("Patient", "RelatedPerson"):
        resource["birthDate"] = BIRTH_DATE
    _put(around, resource)


def _put(around: Surroundings, resource: dict[str, Any]) -> None:
    record: Record = vars(around.people)["_record"]
    token = around.store.write(
        lambda connection: tokens.create(
            connection, kind="system", name="tests", now=around.clock()
        )
    )
    Client(create_app(record).test_client(), token).update(resource)


def _proxy(carer: str, patient: str) -> dict[str, Any]:
    """Describe how a patient lets a carer act in everything."""
    patient_reference = {"reference": f"Patient/{patient}"}
    actor = {"role": described.concept("DELEGATEE", _ROLE), "reference": {"reference": carer}}
    return {
        "resourceType": "Consent",
        "id": f"{patient}-proxy"[-64:],
        "status": "active",
        "scope": described.concept("patient-privacy", CONSENT_SCOPE),
        "category": [described.concept("proxy", CONSENT_KIND)],
        "patient": patient_reference,
        "dateTime": "2024-01-01",
        "policyRule": {"text": "proxy"},
        "performer": [patient_reference],
        "provision": {
            "type": "permit",
            "actor": [actor],
            "code": [described.concept(area, PROXY_AREA) for area in AREAS],
            "action": [described.concept(action, PROXY_ACTION) for action in ("read", "write")],
        },
    }


def _forget_codes(around: Surroundings, user: User) -> None:
    """Let a code count that was used: tests sign in more often than every 30 seconds."""
    around.store.write(
        lambda connection: connection.execute(
            update(totp).where(totp.c.user_id == user.id).values(last_step=0)
        )
    )


def _around(given: "Record | Surroundings") -> Surroundings:
    return given if isinstance(given, Surroundings) else surroundings_of(given)
