"""Refresh tokens change hands with every use; one that comes twice ends all that it was of."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from auth import tokens
from auth.apps import clients
from auth.models import user_role
from auth.surroundings import Surroundings
from ehr.app import create_app
from tests import token_flow as flow
from tests.client import Client
from tests.signing_in import registered

if TYPE_CHECKING:
    from ehr.record import Record

DAY = 86_400_000


@pytest.fixture
def app(around: Surroundings) -> flow.App:
    """Give a public client."""
    return flow.app(around)


def _tokens(around: Surroundings, web: FlaskClient, app: flow.App, **asked: str) -> dict[str, str]:
    code = flow.code(around, app, flow.person(around), **asked)
    told: dict[str, str] = flow.exchange(web, app, code).get_json()
    return told


def test_a_refresh_gives_tokens_of_the_same_grant(
    around: Surroundings, web: FlaskClient, app: flow.App, client: Client
) -> None:
    patient = str(client.create({"resourceType": "Patient", **registered(client)})["id"])
    scope = "launch/patient patient/*.rs offline_access"
    code = flow.code(around, app, flow.person(around), patient=patient, scope=scope)
    first = flow.exchange(web, app, code).get_json()

    answer = flow.refresh(web, app, first["refresh_token"])

    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert told["patient"] == patient
    assert told["scope"] == first["scope"]
    assert told["expires_in"] == 3600
    assert told["token_type"] == "Bearer"
    assert told["refresh_token"] != first["refresh_token"]
    assert answer.headers["Cache-Control"] == "no-store"
    read = Client(web, told["access_token"]).get(f"Patient/{patient}")
    assert read.status_code == 200


def test_a_refresh_gives_another_id_token_of_the_same_sign_in(
    around: Surroundings, web: FlaskClient, record: "Record", app: flow.App
) -> None:
    first = _tokens(around, web, app, scope="openid fhirUser user/*.rs offline_access")
    minutes = flow.later(record, 600_000)

    told = flow.refresh(minutes, app, first["refresh_token"]).get_json()

    before, after = flow.claims_of(first["id_token"]), flow.claims_of(told["id_token"])
    same = ("iss", "sub", "aud", "auth_time", "acr", "amr", "fhirUser")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["iat"] >= before["iat"] + 600
    assert after["exp"] > after["iat"]
    assert before["nonce"] == "n-1"
    assert "nonce" not in after
    again = flow.refresh(minutes, app, told["refresh_token"]).get_json()
    assert flow.claims_of(again["id_token"])["auth_time"] == before["auth_time"]
    assert _signed_in(record, again["access_token"]) == before["auth_time"]


def _signed_in(record: "Record", token: str) -> int:
    """Return when the person of a token signed in, in s: what steps up goes by it."""
    with record.database.read() as connection:
        found = tokens.find(connection, token, now=record.clock())
    assert found is not None
    assert found.principal.signed_in is not None
    return found.principal.signed_in // 1000


def test_a_refresh_without_openid_tells_nobody_who_the_user_is(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    first = _tokens(around, web, app, scope="openid fhirUser user/*.rs offline_access")

    narrow = flow.refresh(web, app, first["refresh_token"], scope="user/*.rs offline_access")

    assert "id_token" not in narrow.get_json()


def test_t19_a_refresh_token_that_comes_twice_ends_the_grant(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    first = _tokens(around, web, app)
    second = flow.refresh(web, app, first["refresh_token"]).get_json()

    again = flow.refresh(web, app, first["refresh_token"])

    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    assert not flow.is_active(around, first["access_token"])
    assert not flow.is_active(around, second["access_token"])
    assert flow.refresh(web, app, second["refresh_token"]).status_code == 400


def test_t19_of_twenty_at_once_one_gets_tokens(
    around: Surroundings, web: FlaskClient, app: flow.App, record: "Record"
) -> None:
    token = _tokens(around, web, app)["refresh_token"]
    application = create_app(record)
    start = threading.Barrier(10)

    def ask(turn: int) -> TestResponse:
        if turn < 10:
            start.wait()
        return flow.refresh(application.test_client(), app, token)

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(ask, range(20)))

    given = [answer for answer in answers if answer.status_code == 200]
    assert len(given) == 1
    assert {answer.status_code for answer in answers} == {200, 400}
    assert not flow.is_active(around, given[0].get_json()["access_token"])


def test_t19_another_client_gets_nothing_and_ends_nothing(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    token = _tokens(around, web, app)["refresh_token"]

    other = flow.refresh(web, flow.app(around), token)

    assert (other.status_code, other.get_json()["error"]) == (400, "invalid_grant")
    assert flow.refresh(web, app, token).status_code == 200


@pytest.mark.parametrize("token", ["x" * 43, "secf_" + "x" * 43, "\0", "é"])
def test_an_unknown_refresh_token_is_no_grant(web: FlaskClient, app: flow.App, token: str) -> None:
    answer = flow.refresh(web, app, token)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")


def test_an_access_token_is_no_refresh_token(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    told = _tokens(around, web, app)

    assert flow.refresh(web, app, told["access_token"]).status_code == 400


@pytest.mark.parametrize(
    ("held", "asked", "given"),
    [
        ("user/*.rs", "user/Observation.rs", "user/Observation.rs"),
        ("user/*.rs", "user/Patient.read", "user/Patient.read"),
        ("user/*.read", "user/Observation.s", "user/Observation.s"),
        (
            "user/Observation.rs",
            "user/Observation.rs?category=laboratory",
            "user/Observation.rs?category=laboratory",
        ),
        ("user/*.rs", "user/*.cruds", None),
        ("user/Observation.rs", "user/*.rs", None),
        ("user/Observation.rs?category=laboratory", "user/Observation.rs", None),
        ("user/*.rs", "patient/*.rs", None),
        ("user/*.rs", "system/*.rs", None),
        ("user/*.rs", "user/*.rs unheard/of", None),
        ("user/*.rs", "openid user/*.rs", None),
        ("user/*.rs", "user/*.sr", None),
        ("user/*.rs", "x" * 20_000, None),
    ],
)
def test_t08_a_refresh_narrows_and_never_widens(
    around: Surroundings,
    web: FlaskClient,
    app: flow.App,
    held: str,
    asked: str,
    given: str | None,
) -> None:
    token = _tokens(around, web, app, scope=f"{held} offline_access")["refresh_token"]

    answer = flow.refresh(web, app, token, scope=asked)

    if given is None:
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")
        assert flow.refresh(web, app, token).status_code == 200  # nothing was used up
    else:
        assert answer.get_json()["scope"] == given
        whole = flow.refresh(web, app, answer.get_json()["refresh_token"])
        assert whole.get_json()["scope"] == f"offline_access {held}"


def test_t08_a_code_beside_a_refresh_token_gives_nothing_more(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    token = _tokens(around, web, app, scope="user/Observation.rs offline_access")["refresh_token"]
    wide = flow.code(around, app, flow.person(around), scope="user/*.cruds")

    told = flow.refresh(web, app, token, code=wide, code_verifier=flow.VERIFIER).get_json()

    assert told["scope"] == "offline_access user/Observation.rs"


@pytest.mark.parametrize("change", ["disabled", "changed", "ended", "signed out"])
def test_t40_a_refresh_looks_at_what_holds_now(
    around: Surroundings, web: FlaskClient, app: flow.App, change: str
) -> None:
    user = flow.person(around)
    code = flow.code(around, app, user, scope="user/*.rs online_access")
    token = flow.exchange(web, app, code).get_json()["refresh_token"]
    flow.end(around, user, change)

    answer = flow.refresh(web, app, token)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")


def test_offline_access_outlives_the_session(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    user = flow.person(around)
    told = flow.exchange(web, app, flow.code(around, app, user)).get_json()
    flow.end(around, user, "signed out")

    assert flow.refresh(web, app, told["refresh_token"]).status_code == 200


def test_t40_a_role_that_ended_refreshes_nothing(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    token = _tokens(around, web, app)["refresh_token"]
    around.store.write(lambda c: c.execute(update(user_role).values(ends=around.clock())))

    assert flow.refresh(web, app, token).status_code == 400


def test_t11_a_carer_refreshes_as_long_as_the_patient_is_theirs(
    around: Surroundings, web: FlaskClient, app: flow.App, client: Client
) -> None:
    patient = str(client.create({"resourceType": "Patient"})["id"])
    carer = flow.person(around, "carer", patient)
    scope = "launch/patient patient/*.rs offline_access"
    code = flow.code(around, app, carer, patient=patient, scope=scope)
    first = flow.exchange(web, app, code).get_json()
    second = flow.refresh(web, app, first["refresh_token"]).get_json()
    assert second["patient"] == patient

    flow.end(around, carer, "patient")

    assert flow.refresh(web, app, second["refresh_token"]).status_code == 400
    assert not flow.is_active(around, second["access_token"])


def test_t40_who_is_merged_into_another_refreshes_nothing(
    around: Surroundings, web: FlaskClient, app: flow.App, client: Client
) -> None:
    user = flow.person(around)
    token = flow.exchange(web, app, flow.code(around, app, user)).get_json()["refresh_token"]
    id = user.fhir_user.removeprefix("Practitioner/")
    client.update({"resourceType": "Practitioner", "id": id, "active": False})

    assert flow.refresh(web, app, token).status_code == 400


def test_a_client_that_lost_a_scope_gives_it_up_at_the_next_refresh(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    token = _tokens(around, web, app, scope="user/*.rs offline_access")["refresh_token"]
    less = "user/Observation.rs offline_access"
    around.store.write(lambda c: clients.change(c, app.id, now=around.clock(), scope=less))

    told = flow.refresh(web, app, token).get_json()

    assert told["scope"] == "offline_access user/Observation.rs"


def test_a_client_out_of_use_refreshes_nothing(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    told = _tokens(around, web, app)
    around.store.write(lambda c: clients.disable(c, app.id, now=around.clock()))

    assert flow.refresh(web, app, told["refresh_token"]).status_code == 401
    assert not flow.is_active(around, told["access_token"])


def test_refresh_tokens_are_good_for_three_months_and_three_more(
    around: Surroundings, web: FlaskClient, app: flow.App, record: "Record"
) -> None:
    token = _tokens(around, web, app)["refresh_token"]

    after = flow.refresh(flow.later(record, 92 * DAY), app, token).get_json()
    again = flow.refresh(flow.later(record, 184 * DAY), app, after["refresh_token"]).get_json()
    late = flow.refresh(flow.later(record, 500 * DAY), app, again["refresh_token"])

    assert late.get_json()["error"] == "invalid_grant"


def test_without_the_token_or_the_grant_type_nothing_is_refreshed(
    around: Surroundings, web: FlaskClient, app: flow.App
) -> None:
    lacking = flow.token(web, app, "refresh_token")
    once = flow.app(around, grant_types=("authorization_code",))

    assert lacking.get_json()["error"] == "invalid_request"
    assert flow.refresh(web, once, "secf_x").get_json()["error"] == "unauthorized_client"


def test_a_public_client_need_not_say_who_it_is(around: Surroundings, web: FlaskClient) -> None:
    public, secret = flow.app(around), flow.app(around, method="client_secret_basic")
    user = flow.person(around)
    held = [
        flow.exchange(web, each, flow.code(around, each, user)).get_json()["refresh_token"]
        for each in (public, secret)
    ]

    answers = [
        web.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})
        for token in (*held, "secf_of_nobody")
    ]

    assert [answer.status_code for answer in answers] == [200, 401, 401]
    assert answers[1].get_json() == answers[2].get_json()
    assert flow.refresh(web, secret, held[1]).status_code == 200
