"""What is done about tokens, apps and accounts is in the trail before it is answered."""

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from auth.surroundings import Surroundings
from ehr.audit.failing import AuditFailed
from ehr.audit.kinds import Kind
from tests import audited, oauth_flow
from tests import token_flow as flow
from tests.client import Client
from tests.signing_in import make_user, registered, send, send_password, signed_in

if TYPE_CHECKING:
    from ehr.record import Record


def _kinds(told: list[audited.AuditRow]) -> list[tuple[int, int]]:
    auth = [one for one in told if Kind.SIGN_IN <= one.kind < Kind.CONSENT_CHANGED]
    return [(one.kind, one.outcome) for one in auth]


def test_a_sign_in_is_told_once_it_is_complete(record: "Record", web: FlaskClient) -> None:
    known = make_user(record)
    with audited.since(record) as told:
        signed_in(record, web, known)

    assert _kinds(told) == [(Kind.SIGN_IN, 0)]
    event = next(one for one in told if one.kind == Kind.SIGN_IN)
    assert (event.agent, event.role, event.organisation) == (
        "Practitioner/professional",
        "gp",
        "northside",
    )
    assert event.named == "pwd otp mfa"


def test_a_sign_in_that_fails_is_told_but_no_password_typed_as_a_name(
    record: "Record", web: FlaskClient
) -> None:
    known = make_user(record, "patient", fhir_user="Patient/p1", patients=["p1"])
    with audited.since(record) as told:
        send_password(web, known.user.login, "wrong wrong wrong")
        send_password(web, "my secret password", "wrong wrong wrong")

    assert _kinds(told) == [(Kind.SIGN_IN_FAILED, 4)] * 2
    assert [one.agent for one in told] == ["Patient/p1", None]
    assert {one.named for one in told} == {"password"}


def test_a_second_factor_that_fails_is_told(record: "Record", web: FlaskClient) -> None:
    known = make_user(record)
    send_password(web, known.user.login, known.password)
    with audited.since(record) as told:
        send(web, "/auth/sign-in/second-factor", {"way": "totp", "code": "000000"})

    assert _kinds(told) == [(Kind.SIGN_IN_FAILED, 4)]


def test_signing_out_is_told(record: "Record", web: FlaskClient) -> None:
    signed_in(record, web, make_user(record))
    page = web.get("/auth/account")
    with audited.since(record) as told:
        web.post("/auth/sign-out", data={"csrf": oauth_flow.csrf_in(page)})

    assert _kinds(told) == [(Kind.SIGN_OUT, 0)]


def test_a_new_password_is_told_and_is_no_sign_in(record: "Record", web: FlaskClient) -> None:
    known = make_user(record, "patient", fhir_user="Patient/p1", patients=["p1"])
    signed_in(record, web, known)
    with audited.since(record) as told:
        fields = {"password": known.password, "new": "another seven lanterns plum"}
        send(web, "/auth/account/password", fields)

    assert _kinds(told) == [(Kind.USER_CHANGED, 0)]
    assert [one.named for one in told if one.kind == Kind.USER_CHANGED] == ["password changed"]


@pytest.mark.parametrize("decision", ["allow", "refuse"])
def test_what_a_person_says_of_an_app_is_told(
    record: "Record", web: FlaskClient, decision: str
) -> None:
    known = make_user(record, "patient", fhir_user="Patient/p1", patients=["p1"])
    signed_in(record, web, known)
    app = oauth_flow.register(record)
    begun = oauth_flow.begin(app, scope="launch/patient patient/*.rs openid")
    page = begun.open(web)
    with audited.since(record) as told:
        begun.decide(web, page, decision)

    [event] = [one for one in told if one.kind == Kind.APP_APPROVED]
    assert event.outcome == (0 if decision == "allow" else 4)
    assert (event.agent, event.client_id) == ("Patient/p1", app.id)
    assert (event.patient_key > 0) == (decision == "allow")


def test_tokens_are_told_by_their_ids_when_issued_refreshed_and_given_up(
    record: "Record", around: Surroundings, web: FlaskClient, client: Client
) -> None:
    app = flow.app(around)
    patient = str(client.create({"resourceType": "Patient", **registered(client)})["id"])
    scope = "launch/patient patient/*.rs offline_access"
    code = flow.code(around, app, flow.person(around), patient=patient, scope=scope)
    with audited.since(record) as told:
        first = flow.exchange(web, app, code).get_json()
        second = flow.refresh(web, app, first["refresh_token"]).get_json()
        flow.post(web, "revoke", app, token=second["access_token"])

    issued, refreshed, revoked = [one for one in told if one.kind >= Kind.TOKEN_ISSUED]
    assert (issued.kind, refreshed.kind, revoked.kind) == (
        Kind.TOKEN_ISSUED,
        Kind.TOKEN_REFRESHED,
        Kind.TOKEN_REVOKED,
    )
    assert issued.patient_key > 0
    assert issued.named == first["scope"]
    assert refreshed.token_id == revoked.token_id
    assert issued.token_id not in (None, refreshed.token_id)
    for secret in (first["access_token"], first["refresh_token"], second["access_token"]):
        assert all(secret not in repr(one) for one in told)


def test_a_token_that_a_known_client_does_not_get_is_told(
    record: "Record", around: Surroundings, web: FlaskClient
) -> None:
    app = flow.app(around)
    with audited.since(record) as told:
        assert flow.exchange(web, app, "no such code").status_code == 400
        nobody = flow.refresh(web, app, "no such token")

    assert nobody.status_code == 400
    assert _kinds(told) == [(Kind.TOKEN_ISSUED, 4)] * 2
    assert {one.client_id for one in told} == {app.id}
    assert {one.named for one in told} == {"invalid_grant"}


def test_a_token_that_cannot_be_recorded_is_not_issued(
    record: "Record", around: Surroundings, web: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = flow.app(around)
    code = flow.code(around, app, flow.person(around))

    def fail(*_: object) -> None:
        raise AuditFailed

    with monkeypatch.context() as patch:
        patch.setattr(type(record.trail), "within", fail)
        answer = flow.exchange(web, app, code)

    assert answer.status_code == 503
    assert answer.get_json()["error"] == "temporarily_unavailable"
    # Nothing was done, so that the code is still good.
    assert flow.exchange(web, app, code).status_code == 200


def test_nobody_signs_in_whose_sign_in_cannot_be_recorded(
    record: "Record", web: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_user(record, "patient", fhir_user="Patient/p1", patients=["p1"])

    def fail(*_: object) -> None:
        raise AuditFailed

    with monkeypatch.context() as patch:
        patch.setattr(type(record.trail), "within", fail)
        answer = send_password(web, known.user.login, known.password)

    assert answer.status_code == 503
    assert web.get_cookie("ehr-session") is None
