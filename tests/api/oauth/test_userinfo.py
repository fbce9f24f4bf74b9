"""Who the user of a token is: only to who has a token with openid, only what was granted."""

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from auth.sign_in.users import User
from auth.surroundings import Surroundings
from tests import token_flow as flow

PATH = "/auth/userinfo"
URL = "http://127.0.0.1:8000/auth/userinfo"


@pytest.fixture
def user(around: Surroundings) -> User:
    """Make a professional."""
    return flow.person(around)


def _tokens(around: Surroundings, web: FlaskClient, user: User, scope: str) -> dict[str, str]:
    app = flow.app(around, scope=f"{scope} user/*.rs")
    answer = flow.exchange(web, app, flow.code(around, app, user, scope=scope))
    told: dict[str, str] = answer.get_json()
    return told


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_user_is_the_one_of_the_id_token(
    around: Surroundings, web: FlaskClient, user: User, method: str
) -> None:
    told = _tokens(around, web, user, "openid fhirUser profile")

    answer = web.open(PATH, method=method, headers=_bearer(told["access_token"]))

    keys = KeySet.import_key_set(web.get("/auth/jwks").get_json())
    claims = jwt.decode(told["id_token"], keys, algorithms=["RS256"]).claims
    assert answer.get_json() == {
        "sub": claims["sub"],
        "name": user.name,
        "fhirUser": f"{around.base}/{user.fhir_user}",
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_what_was_granted_is_told(around: Surroundings, web: FlaskClient, user: User) -> None:
    told = _tokens(around, web, user, "openid")

    assert web.get(PATH, headers=_bearer(told["access_token"])).get_json().keys() == {"sub"}


def test_without_openid_nothing_is_told(around: Surroundings, web: FlaskClient, user: User) -> None:
    told = _tokens(around, web, user, "user/*.rs")

    answer = web.get(PATH, headers=_bearer(told["access_token"]))

    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert answer.data == b""


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Bearer "])
def test_who_sends_no_token_is_told_no_error(web: FlaskClient, header: str) -> None:
    answer = web.get(PATH, headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="userinfo"'


@pytest.mark.parametrize("how", ["disabled", "ended"])
def test_t40_a_user_who_is_gone_has_no_claims(
    around: Surroundings, web: FlaskClient, user: User, how: str
) -> None:
    token = _tokens(around, web, user, "openid")["access_token"]
    flow.end(around, user, how)

    answer = web.get(PATH, headers=_bearer(token))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_t20_a_token_in_query_or_form_is_none(
    around: Surroundings, web: FlaskClient, user: User
) -> None:
    token = _tokens(around, web, user, "openid")["access_token"]

    assert web.get(PATH, query_string={"access_token": token}).status_code == 401
    assert web.post(PATH, data={"access_token": token}).status_code == 401


def test_a_bound_token_comes_with_a_proof(
    around: Surroundings, web: FlaskClient, user: User
) -> None:
    key = ECKey.generate_key("P-256")
    token = _bound_token(around, web, user, key)

    bare = web.get(PATH, headers=_bearer(token))
    first = web.get(PATH, headers=_proved(key, token, None))
    nonce = first.headers["DPoP-Nonce"]
    good = web.get(PATH, headers=_proved(key, token, nonce))
    other = web.get(PATH, headers=_proved(ECKey.generate_key("P-256"), token, nonce))

    assert bare.status_code == 401
    assert 'DPoP realm="userinfo", error="use_dpop_nonce"' in first.headers["WWW-Authenticate"]
    assert good.status_code == 200
    assert good.get_json()["sub"]
    assert other.status_code == 401


def test_a_token_that_is_not_bound_takes_no_proof(
    around: Surroundings, web: FlaskClient, user: User
) -> None:
    token = _tokens(around, web, user, "openid")["access_token"]

    answer = web.get(PATH, headers=_proved(ECKey.generate_key("P-256"), token, None))

    assert answer.status_code == 401


def _proved(key: ECKey, token: str, nonce: str | None) -> dict[str, str]:
    proof = flow.proof(key, URL, method="GET", nonce=nonce, token=token)
    return {"Authorization": f"DPoP {token}", "DPoP": proof}


def _bound_token(around: Surroundings, web: FlaskClient, user: User, key: ECKey) -> str:
    app = flow.app(around, scope="openid", dpop=True)
    code = flow.code(around, app, user, scope="openid")
    url = f"{around.root}/auth/token"
    asked = flow.exchange(web, app, code, headers={"DPoP": flow.proof(key, url)})
    nonce = asked.headers["DPoP-Nonce"]
    proof = flow.proof(key, url, nonce=nonce)
    answer = flow.exchange(web, app, code, headers={"DPoP": proof})
    token: str = answer.get_json()["access_token"]
    return token
