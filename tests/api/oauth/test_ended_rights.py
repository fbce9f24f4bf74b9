"""What a right rests on ends, and with it what was built on it (T11, T19, T40).

A token lasts no longer than the role, the patient or the person that it rests on; no code is given
or taken for who died, left or was merged; a session of theirs ends when it is next used.
"""

import time
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from auth.authorizing import authorizations, permissible
from auth.models import access_grant, user_patient, user_role
from auth.sign_in import sessions, standing
from auth.surroundings import Surroundings
from ehr.app import create_app
from tests import signing_in
from tests import token_flow as flow
from tests.client import Client

if TYPE_CHECKING:
    from ehr.record import Record

HOUR, MINUTE = 3600_000, 60_000
ENDED: dict[str, dict[str, Any]] = {
    "dead": {"deceasedBoolean": True},
    "inactive": {"active": False},
    "merged": {"link": [{"type": "replaced-by", "other": {"reference": "Patient/other"}}]},
}
MARYS = "launch/patient patient/*.rs offline_access"


@pytest.fixture
def mary(client: Client) -> Client:
    """Store two patients; give the system that did."""
    for id in ("mary", "other"):
        client.update({"resourceType": "Patient", "id": id})
    return client


def _of_mary(around: Surroundings) -> signing_in.Known:
    return signing_in.make_user(around, "patient", patients=["mary"], fhir_user="Patient/mary")


def _end_links(around: Surroundings, ends: int) -> None:
    around.store.write(lambda c: c.execute(update(user_patient).values(ends=ends)))


def test_t11_a_token_ends_with_the_patient_that_it_rests_on(
    around: Surroundings, web: FlaskClient, mary: Client, record: "Record"
) -> None:
    app, carer = flow.app(around), flow.person(around, "carer", "mary")
    _end_links(around, around.clock() + 2 * MINUTE)

    first = flow.exchange(web, app, flow.code(around, app, carer, patient="mary", scope=MARYS))
    second = flow.refresh(web, app, first.get_json()["refresh_token"])

    for told in (first.get_json(), second.get_json()):
        assert 0 < told["expires_in"] <= 120
    token = second.get_json()["access_token"]
    assert Client(web, token).get("Patient/mary").status_code == 200
    late = flow.later(record, 2 * MINUTE + 1)
    assert Client(late, token).get("Patient/mary").status_code == 401


def test_t40_a_token_ends_with_the_role_that_it_rests_on(
    around: Surroundings, web: FlaskClient
) -> None:
    app, user = flow.app(around), flow.person(around)
    ends = around.clock() + 2 * MINUTE
    around.store.write(lambda c: c.execute(update(user_role).values(ends=ends)))

    told = flow.exchange(web, app, flow.code(around, app, user)).get_json()

    assert 0 < told["expires_in"] <= 120


def test_what_has_no_end_soon_lasts_an_hour(
    around: Surroundings, web: FlaskClient, mary: Client
) -> None:
    app, carer = flow.app(around), flow.person(around, "carer", "mary", "other")
    _end_links(around, around.clock() + 2 * HOUR)

    code = flow.code(around, app, carer, patient="mary", scope=MARYS)

    assert flow.exchange(web, app, code).get_json()["expires_in"] == HOUR // 1000


@pytest.mark.parametrize("how", ENDED)
def test_t40_no_code_is_given_or_taken_for_who_is_none_any_more(
    around: Surroundings, web: FlaskClient, mary: Client, how: str
) -> None:
    app, user = flow.app(around), _of_mary(around).user
    code = flow.code(around, app, user, patient="mary", scope=MARYS)
    session, kept = flow.session(around, user), flow.request(around, app, scope=MARYS)
    granted = permissible.grantable(kept)
    mary.update({**mary.read("Patient/mary"), **ENDED[how]})

    given = authorizations.approve(around, kept, session, granted, {"patient": "mary"})
    taken = flow.exchange(web, app, code)

    assert flow.answer_in(given)["error"] == "access_denied"
    assert (taken.status_code, taken.get_json()["error"]) == (400, "invalid_grant")
    with around.store.read() as connection:
        assert connection.execute(access_grant.select()).one().revoked is not None


@pytest.mark.parametrize("how", ENDED)
def test_t40_a_session_of_who_is_none_any_more_ends_at_its_next_use(
    around: Surroundings, web: FlaskClient, mary: Client, how: str
) -> None:
    signing_in.signed_in(around, web, _of_mary(around))
    assert web.get("/auth/account").status_code == 200
    before = mary.read("Patient/mary")

    mary.update({**before, **ENDED[how]})

    assert "/auth/sign-in" in str(web.get("/auth/account").location)
    mary.update({name: value for name, value in before.items() if name != "meta"})
    assert "/auth/sign-in" in str(web.get("/auth/account").location)


@pytest.mark.parametrize("how", [*ENDED, "deleted"])
def test_t40_a_token_of_who_is_none_any_more_opens_nothing_from_the_next_request_on(
    around: Surroundings, web: FlaskClient, mary: Client, record: "Record", how: str
) -> None:
    app, user = flow.app(around), _of_mary(around).user
    told = flow.exchange(web, app, flow.code(around, app, user, patient="mary", scope=MARYS))
    token, again = (told.get_json()[name] for name in ("access_token", "refresh_token"))
    other = Client(flow.later(record, 0), token)  # another process has seen it, too
    assert [each.get("Patient/mary").status_code for each in (Client(web, token), other)] == [
        200,
        200,
    ]
    before = mary.read("Patient/mary")

    _be_none(mary, how)
    after = [
        each.get(path).status_code
        for each in (Client(web, token), other)
        for path in ("Patient/mary", "Patient", "Observation?patient=mary")
    ]

    assert after == [401] * 6
    assert flow.refresh(web, app, again).status_code == 400
    # What ended does not come back with the record.
    mary.update({name: value for name, value in before.items() if name != "meta"})
    assert Client(web, token).get("Patient/mary").status_code == 401


@pytest.mark.parametrize("how", ["deleted", "merged"])
def test_t40_who_is_deleted_or_merged_is_told_and_signed_out(
    around: Surroundings, web: FlaskClient, mary: Client, how: str
) -> None:
    known = _of_mary(around)
    signing_in.signed_in(around, web, known)

    _be_none(mary, how)
    session = web.get("/auth/account")
    answer = signing_in.send_password(web, known.user.login, known.password)

    assert "/auth/sign-in" in str(session.location)
    assert answer.status_code == 403
    told = {"deleted": "Your record is not here any more. Ask your practice", "merged": "merged"}
    assert told[how] in answer.text


def _be_none(client: Client, how: str) -> None:
    if how == "deleted":
        assert client.delete("Patient/mary").status_code in (200, 204)
    else:
        client.update({**client.read("Patient/mary"), **ENDED[how]})


ROLES: dict[str, dict[str, Any]] = {
    "ended": {"period": {"start": "2019-01-01", "end": "2020-05-01"}},
    "not begun": {"period": {"start": "2999-01-01"}},
    "inactive": {"active": False},
}


@pytest.fixture
def doctor(around: Surroundings, client: Client) -> signing_in.Known:
    """Give a doctor whose role at Northside the record has."""
    client.update({"resourceType": "Organization", "id": "northside", "name": "Northside"})
    known = signing_in.make_user(around, "professional")
    client.update(_role(known))
    return known


def _role(known: signing_in.Known, **more: Any) -> dict[str, Any]:
    (held,) = known.user.roles
    return {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": known.user.fhir_user},
        "organization": {"reference": f"Organization/{held.organisation}"},
        "period": {"start": "2019-01-01"},
        **more,
    }


@pytest.mark.parametrize("how", ROLES)
def test_t40_with_a_role_end_tokens_and_sessions_at_their_next_use(
    around: Surroundings,
    web: FlaskClient,
    record: "Record",
    client: Client,
    doctor: signing_in.Known,
    how: str,
) -> None:
    app, browser = flow.app(around), create_app(record).test_client()
    told = flow.exchange(web, app, flow.code(around, app, doctor.user)).get_json()
    signing_in.signed_in(around, browser, doctor)
    assert Client(web, told["access_token"]).get("Patient").status_code == 200
    assert browser.get("/auth/account").status_code == 200

    client.update(_role(doctor, **ROLES[how]))

    assert Client(web, told["access_token"]).get("Patient").status_code == 401
    assert "/auth/sign-in" in str(browser.get("/auth/account").location)
    assert flow.refresh(web, app, told["refresh_token"]).status_code == 400
    refused = signing_in.send_password(browser, doctor.user.login, doctor.password)
    assert refused.status_code == 403
    assert "does not work there now" in refused.text


def test_t40_a_token_ends_with_the_role_of_the_record(
    around: Surroundings, web: FlaskClient, client: Client, doctor: signing_in.Known
) -> None:
    app, now = flow.app(around), around.clock() / 1000
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 120))
    client.update(_role(doctor, period={"end": soon}))

    told = flow.exchange(web, app, flow.code(around, app, doctor.user)).get_json()

    assert 0 < told["expires_in"] <= 120
    # Another role there goes on.
    client.update({**_role(doctor), "id": "second"})
    again = flow.refresh(web, app, told["refresh_token"]).get_json()
    assert again["expires_in"] == HOUR // 1000


def test_another_role_and_a_better_one_end_nothing(
    around: Surroundings, web: FlaskClient, client: Client, doctor: signing_in.Known
) -> None:
    app = flow.app(around)
    token = flow.exchange(web, app, flow.code(around, app, doctor.user)).get_json()["access_token"]

    client.update(_role(doctor, specialty=[{"text": "Diabetes"}]))
    elsewhere = {"reference": "Organization/northside"}
    other = {**_role(doctor), "id": "third", "practitioner": None, "organization": elsewhere}
    client.update({name: value for name, value in other.items() if value is not None})

    assert Client(web, token).get("Patient").status_code == 200


def test_a_carer_is_one_until_the_record_says_otherwise(
    around: Surroundings, web: FlaskClient, mary: Client
) -> None:
    carer = signing_in.make_user(around, "carer", patients=["mary"])
    app, person = flow.app(around), mary.read("RelatedPerson/carer")
    code = flow.code(around, app, carer.user, patient="mary", scope=MARYS)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(around.clock() / 1000 + 120))
    mary.update({**person, "period": {"end": soon}})
    told = flow.exchange(web, app, code).get_json()
    assert 0 < told["expires_in"] <= 120

    mary.update({**person, "period": {"end": "2020-05-01"}})

    assert flow.refresh(web, app, told["refresh_token"]).status_code == 400
    refused = signing_in.send_password(web, carer.user.login, carer.password)
    assert refused.status_code == 403
    assert "no longer acts for the patient" in refused.text
    _, session = sessions.begin(around, sessions.Step(carer.user.id, ("pwd",), complete=True))
    kept = flow.request(around, app, scope=MARYS)
    granted = permissible.grantable(kept)
    url = authorizations.approve(around, kept, session, granted, {"patient": "mary"})
    assert flow.answer_in(url)["error"] == "access_denied"


@pytest.mark.parametrize(
    ("end", "over"),
    [
        ("2026-02-28T12:00:00+01:00", 1772276400000),
        ("2026-02-28", 1772323200000),
        ("2026-02", 1772323200000),
        ("2026-12", 1798761600000),
        ("2026", 1798761600000),
        ("9999-12-31", standing.NEVER),
    ],
)
def test_the_end_of_a_period_is_within_it(
    around: Surroundings, mary: Client, end: str, over: int
) -> None:
    patient = {"reference": "Patient/mary"}
    ann = {"resourceType": "RelatedPerson", "id": "ann", "patient": patient}

    mary.update({**ann, "period": {"end": end}})

    assert standing.end(around, "RelatedPerson/ann") == over
