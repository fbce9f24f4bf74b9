"""Authorization requests that are not in order never come to a code, and the client is told why."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.authorizing import (
    approvals,
    authorization_steps,
    authorizations,
    granted,
    kept_requests,
    launches,
    permissible,
)
from auth.authorizing.authorization_request import RefusedOnPage
from auth.scopes import NONE
from auth.surroundings import Surroundings
from tests import token_flow as flow
from tests.client import Client
from tests.signing_in import registered


@pytest.fixture
def app(around: Surroundings) -> flow.App:
    """Give a public client."""
    return flow.app(around)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"code_challenge": "x" * 42 + "="}, "invalid_request"),
        ({"code_challenge": "x" * 42 + "é"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ],
)
@pytest.mark.parametrize("method", ["none", "client_secret_basic"])
def test_t03_pkce_by_s256_is_asked_of_every_client(
    around: Surroundings, method: str, changes: dict[str, str | None], error: str
) -> None:
    told = flow.refused(around, flow.app(around, method=method), **changes)

    assert told["error"] == error
    assert told["iss"] == around.base
    assert told["state"] == "a state / of + any & kind"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://counterfeit.example/fhir"}, "invalid_request"),
        ({"aud": "http://127.0.0.1:8000"}, "invalid_request"),
        ({"aud": "http://127.0.0.1:8000/fhir//"}, "invalid_request"),
        ({"resource": "https://counterfeit.example/fhir"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"state": "x" * 3000}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "unheard"}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "user/*.dus"}, "invalid_scope"),
        ({"scope": "user/*.cud"}, "invalid_scope"),
        ({"scope": "x" * 20_000}, "invalid_scope"),
        ({"launch": "guessed"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
    ],
)
def test_t10_t12_a_request_out_of_order_is_told_the_client(
    around: Surroundings, app: flow.App, changes: dict[str, str | None], error: str
) -> None:
    assert flow.refused(around, app, **changes)["error"] == error


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": None}, "state is missing"),
        ({"scope": None}, "scope is missing."),
        ({"scope": "  "}, "scope is missing."),
        ({"scope": "unheard user/*.dus"}, "the first of it is unheard"),
        ({"scope": 'a"b\\é' + "x" * 200}, "the first of it is a?b??" + "x" * 95),
        (
            {"code_challenge": None, "code_challenge_method": None},
            "code_challenge is missing: PKCE with S256 is required.",
        ),
    ],
    ids=["state", "scope", "spaces", "unknown scope", "unsaid characters", "challenge"],
)
def test_what_is_missing_is_named(
    around: Surroundings, app: flow.App, changes: dict[str, str | None], said: str
) -> None:
    described = flow.refused(around, app, **changes)["error_description"]

    assert said in described
    assert len(described) < 200


def test_a_redirect_address_that_is_missing_is_named(around: Surroundings, app: flow.App) -> None:
    with pytest.raises(RefusedOnPage, match="redirect_uri is missing"):
        flow.request(around, app, redirect_uri=None)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", ["aud", "resource"])
def test_the_base_is_the_audience(
    around: Surroundings, app: flow.App, name: str, slash: str
) -> None:
    changes: dict[str, str | None] = {"aud": None, name: around.base + slash}

    assert flow.request(around, app, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_t01_what_may_not_be_redirected_is_told_the_person(
    around: Surroundings, app: flow.App, changes: dict[str, str | None]
) -> None:
    with pytest.raises(RefusedOnPage):
        flow.request(around, app, **changes)


def test_a_client_without_the_code_grant_is_told_so(around: Surroundings) -> None:
    service = flow.service(around, scope=flow.SCOPE)

    with pytest.raises(RefusedOnPage):  # it has no address to be sent to
        flow.request(around, flow.App(service.client))


@pytest.mark.parametrize("name", ["scope", "client_id", "state", "anything"])
def test_t37_a_parameter_sent_twice_is_refused(
    around: Surroundings, app: flow.App, name: str
) -> None:
    asked = [*flow.asked(around, app).items(), (name, "x"), (name, "y")]

    with pytest.raises(RefusedOnPage, match="twice"):
        kept_requests.keep(around, asked, flow.BROWSER)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=st.text(min_size=1, max_size=200))
def test_state_comes_back_as_it_was_sent(around: Surroundings, app: flow.App, state: str) -> None:
    told = flow.refused(around, app, state=state, aud="other")

    assert told["state"] == state


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("user/*.rs", "user/*.rs"),
        ("user/*.cruds", "user/*.rs"),
        ("user/*.read", "user/*.read"),
        ("user/Patient.rs system/Patient.rs", "user/Patient.rs"),
        ("patient/*.rs", "patient/*.rs"),
        ("openid fhirUser user/*.rs", "openid fhirUser user/*.rs"),
        ("fhirUser user/*.rs", "user/*.rs"),
        ("launch user/*.rs", "user/*.rs"),
        (
            "user/Observation.rs?category=a user/Observation.rs?subject.name=b",
            "user/Observation.rs?category=a",
        ),
    ],
)
def test_t08_what_may_be_granted(
    around: Surroundings, app: flow.App, asked: str, granted: str
) -> None:
    kept = flow.request(around, app, scope=asked)

    assert str(permissible.grantable(kept)) == granted


def test_what_is_approved_is_never_more_than_may_be(around: Surroundings, app: flow.App) -> None:
    kept = flow.request(around, app, scope="user/Patient.rs")
    session = flow.session(around, flow.person(around))
    wide = flow.request(around, app, scope="user/*.rs offline_access").scopes

    code = flow.answer_in(authorizations.approve(around, kept, session, wide, {}))["code"]

    with around.store.read() as connection:
        (grant,) = granted.of_user(connection, session.user.id, now=around.clock())
    assert code
    assert (str(grant.scopes), grant.lasting) == ("user/Patient.rs", "none")


def test_only_words_without_substance_are_nothing_to_grant(
    around: Surroundings, app: flow.App
) -> None:
    kept = flow.request(around, app, scope="launch offline_access")
    session = flow.session(around, flow.person(around))

    told = flow.answer_in(
        authorizations.approve(around, kept, session, permissible.grantable(kept), {})
    )

    assert told["error"] == "invalid_scope"


def _launch(around: Surroundings, app: flow.App, session: Any, context: dict[str, Any]) -> str:
    return around.store.write(
        lambda c: launches.begin(
            c,
            client_id=app.id,
            user_id=session.user.id,
            session_id=session.id_hash,
            context=context,
            now=around.clock(),
        )
    )


def _approve(around: Surroundings, kept: Any, session: Any, launch: dict[str, Any]) -> Any:
    may = permissible.grantable(kept)
    return flow.answer_in(authorizations.approve(around, kept, session, may, launch))


def test_t10_a_launch_is_of_one_client_user_and_session_and_counts_once(
    around: Surroundings, app: flow.App, client: Client
) -> None:
    patient = str(client.create({"resourceType": "Patient", **registered(client)})["id"])
    own, user = flow.session(around, flow.person(around)), flow.person(around)
    launch = _launch(around, app, own, {"patient": patient})
    scope = "launch patient/*.rs"

    foreign_client = flow.refused(around, flow.app(around), launch=launch, scope=scope)
    kept = [flow.request(around, app, launch=launch, scope=scope) for _ in range(3)]
    foreign_user = _approve(around, kept[0], flow.session(around, user), {"patient": patient})
    first = _approve(around, kept[1], own, {"patient": patient})
    second = _approve(around, kept[2], own, {"patient": patient})

    assert foreign_client["error"] == "invalid_request"
    assert foreign_user["error"] == "invalid_request"
    assert first["code"]
    assert second["error"] == "invalid_request"
    assert flow.refused(around, app, launch=launch, scope=scope)["error"] == "invalid_request"


def test_t10_a_launch_keeps_its_patient(
    around: Surroundings, app: flow.App, client: Client
) -> None:
    patients = [
        str(client.create({"resourceType": "Patient", **registered(client)})["id"])
        for _ in range(2)
    ]
    session = flow.session(around, flow.person(around))
    launch = _launch(around, app, session, {"patient": patients[0]})
    kept = flow.request(around, app, launch=launch, scope="launch patient/*.rs")

    told = _approve(around, kept, session, {"patient": patients[1]})

    assert told["error"] == "invalid_request"


@pytest.mark.parametrize("kind", ["carer", "patient"])
def test_t11_nobody_chooses_a_patient_who_is_not_theirs(
    around: Surroundings, app: flow.App, client: Client, kind: str
) -> None:
    own, other = (str(client.create({"resourceType": "Patient"})["id"]) for _ in range(2))
    session = flow.session(around, flow.person(around, kind, own))

    def choose(patient: str | None) -> Any:
        kept = flow.request(around, app, scope="patient/*.rs")
        return _approve(around, kept, session, {"patient": patient} if patient else {})

    assert choose(other)["error"] == "access_denied"
    assert choose("unknown")["error"] == "access_denied"
    assert choose(None)["error"] == "access_denied"
    assert choose(own)["code"]


def test_an_answer_counts_once(around: Surroundings, app: flow.App) -> None:
    kept = flow.request(around, app)
    session = flow.session(around, flow.person(around))
    assert _approve(around, kept, session, {})["code"]

    with pytest.raises(RefusedOnPage):
        _approve(around, kept, session, {})
    with pytest.raises(RefusedOnPage):
        kept_requests.kept(around, kept.handle, flow.BROWSER)


@pytest.mark.parametrize("launch", [{}, {"patient": "other"}], ids=str)
def test_what_was_refused_at_last_is_not_remembered_as_allowed(
    around: Surroundings, app: flow.App, launch: dict[str, Any]
) -> None:
    """An approval that ended in an error must not let the next request pass without asking."""
    kept = flow.request(around, app, scope="openid launch/patient patient/*.rs")
    session = flow.session(around, flow.person(around, "patient", "mary"))
    may = permissible.grantable(kept)
    step = authorization_steps.Step("ask", may, launch)

    url = authorization_steps.allow(around, kept, session, step, may)

    assert flow.answer_in(url)["error"] == "access_denied"
    with around.store.read() as connection:
        assert approvals.remembered(connection, session.user.id, app.id, around.clock()) == NONE


def test_what_was_granted_is_remembered_and_no_more(around: Surroundings, app: flow.App) -> None:
    kept = flow.request(around, app, scope="user/Patient.rs user/Goal.rs")
    session = flow.session(around, flow.person(around))
    wide = flow.request(around, app, scope="user/*.rs").scopes
    step = authorization_steps.Step("ask", wide)

    assert "code" in authorization_steps.allow(around, kept, session, step, wide)

    with around.store.read() as connection:
        known = approvals.remembered(connection, session.user.id, app.id, around.clock())
    assert str(known) == "user/Patient.rs user/Goal.rs"
