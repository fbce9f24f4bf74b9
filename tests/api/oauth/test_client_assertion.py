"""private_key_jwt: what an assertion must be, and every way in which one is not."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from sqlalchemy import update

from auth.apps import client_assertion
from auth.apps.client_keys import ClientKeys
from auth.jose import jwts
from auth.jose.jwts import InvalidJwt
from auth.jose.safe_fetch import FetchRefused
from auth.models import client
from auth.surroundings import Surroundings
from tests import token_flow as flow

OTHER = ECKey.generate_key("P-384")
Make = Callable[[flow.App], str]


def _ask(web: FlaskClient, service: flow.App, assertion: str) -> tuple[int, str, str]:
    answer = flow.token(
        web, service, "client_credentials", scope="system/*.rs", client_assertion=assertion
    )
    told = answer.get_json()
    return answer.status_code, told.get("error", ""), told.get("error_description", "")


def _with(**changes: Any) -> Make:
    """Return what makes an assertion with other claims; a function is asked when it is made."""

    def make(service: flow.App) -> str:
        claims = {name: one() if callable(one) else one for name, one in changes.items()}
        return flow.assertion(service, **claims)

    return make


def _in(seconds: int) -> Callable[[], int]:
    """Return what tells the time so many seconds from now: tests are collected long before."""
    return lambda: int(time.time()) + seconds


def _headed(key: Any = None, **header: Any) -> Make:
    """Return what makes an assertion with another header."""
    return lambda service: flow.assertion(service, header=header, key=key)


def _unsigned(service: flow.App) -> str:
    head, claims, _ = flow.assertion(service).split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIiwia2lkIjoiZXMifQ"
    assert head != none
    return f"{none}.{claims}."


def _confused(service: flow.App) -> str:
    """Sign by HMAC with the public key as secret (T13)."""
    pem = service.keys["rs"].as_pem(private=False)
    head, claims, _ = flow.assertion(service, header={"alg": "RS256", "kid": "rs"}).split(".")
    head = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"rs"}').rstrip(b"=").decode()
    mac = hmac.digest(pem, f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _own_key(service: flow.App) -> str:
    """Bring the key along in the header (T13)."""
    return flow.assertion(service, header={"jwk": OTHER.as_dict(private=False)}, key=OTHER)


def _altered(service: flow.App) -> str:
    head, claims, signature = flow.assertion(service).split(".")
    return f"{head}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


FAULTS: dict[str, Make] = {
    "t13 alg none": _unsigned,
    "t13 HMAC with the public key": _confused,
    "t13 key in the header": _own_key,
    "t13 foreign jku": _headed(jku="https://evil.example/jwks"),
    "t13 ES256": _headed(key=ECKey.generate_key("P-256"), alg="ES256"),
    "t14 no kid": _headed(kid=None, key=OTHER),
    "t14 unknown kid": _headed(kid="../../etc/passwd", key=OTHER),
    "t14 kid of another key": _headed(kid="rs", key=OTHER),
    "t14 long kid": _headed(kid="k" * 129, key=OTHER),
    "t14 kid that is no text": _headed(kid=7, key=OTHER),
    "no typ": _headed(typ=None),
    "other typ": _headed(typ="at+jwt"),
    "signed by another": _headed(key=OTHER),
    "altered": _altered,
    "t16 exp a year ahead": _with(exp=_in(31_536_000)),
    "t16 exp too far ahead": _with(exp=_in(1000)),
    "t16 exp past": _with(exp=_in(-120)),
    "t16 no exp": _with(exp=None),
    "t16 exp that is no number": _with(exp=lambda: str(_in(60)())),
    "t16 endless exp": _with(exp=10**400),
    "t16 exp true": _with(exp=True),
    "t16 iat ahead": _with(iat=_in(600)),
    "t16 nbf ahead": _with(nbf=_in(600)),
    "t16 list of audiences": _with(audience=["http://127.0.0.1:8000/auth/token"]),
    "t16 two audiences": _with(audience=["http://127.0.0.1:8000/auth/token", "https://x"]),
    "other audience": _with(audience="https://other.example/auth/token"),
    "no audience": _with(audience=None),
    "t17 other issuer": _with(iss="another"),
    "t17 no issuer": _with(iss=None),
    "t17 unknown client": _with(iss="nobody", sub="nobody"),
    "t17 sub that is no text": _with(sub=["x"], iss=["x"]),
    "no jti": _with(jti=None),
    "empty jti": _with(jti=""),
    "long jti": _with(jti="j" * 600),
    "jti that is no text": _with(jti=7),
    "no JWT": lambda _: "a.b.c",
    "empty": lambda _: " ",
    "not ASCII": lambda _: "é.é.é",
    "huge": lambda _: "e" * 20_000,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_t13_t14_t16_t17_a_faulty_assertion_is_no_client(
    around: Surroundings, web: FlaskClient, fault: str
) -> None:
    service = flow.service(around)

    status, error, text = _ask(web, service, FAULTS[fault](service))

    assert (status, error) == (401, "invalid_client"), text
    assert _ask(web, service, flow.assertion(service))[0] == 200


@pytest.mark.parametrize(
    "made",
    [
        _with(audience="http://127.0.0.1:8000/fhir"),
        _with(exp=_in(290), iat=None),
        _with(iat=_in(20), nbf=_in(20)),
        _headed(x5u="https://evil.example/cert"),
        _headed(typ="jwt"),
    ],
    ids=["issuer as audience", "no iat", "skewed", "x5u is ignored", "typ in small letters"],
)
def test_what_is_allowed_is_taken(around: Surroundings, web: FlaskClient, made: Make) -> None:
    service = flow.service(around)

    assert _ask(web, service, made(service))[0] == 200


def test_t15_an_assertion_counts_once(around: Surroundings, web: FlaskClient) -> None:
    service = flow.service(around)
    assertion = flow.assertion(service)

    first, second = _ask(web, service, assertion), _ask(web, service, assertion)

    assert first[0] == 200
    assert second[:2] == (401, "invalid_client")


def test_t15_of_ten_at_once_one_counts(around: Surroundings, web: FlaskClient) -> None:
    service = flow.service(around)
    assertion = flow.assertion(service)
    application = web.application

    def ask(_turn: int) -> int:
        return _ask(application.test_client(), service, assertion)[0]

    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(ask, range(10)))

    assert sorted(statuses) == [200] + [401] * 9


def test_t15_two_clients_may_use_the_same_jti(around: Surroundings, web: FlaskClient) -> None:
    for service in (flow.service(around), flow.service(around)):
        assert _ask(web, service, flow.assertion(service, jti="1"))[0] == 200


@pytest.mark.slow
def test_t15_an_assertion_counts_once_across_processes(
    around: Surroundings, web: FlaskClient, database_url: str
) -> None:
    service = flow.service(around)
    assertion = flow.assertion(service)
    form = {
        "grant_type": "client_credentials",
        "scope": "system/*.rs",
        "client_assertion": assertion,
        "client_assertion_type": flow.ASSERTION,
    }

    told = flow.in_processes(database_url, form, threads=10)

    assert sorted(told) == [200] + [401] * 19
    assert _ask(web, service, assertion)[0] == 401


def test_t14_a_kid_that_two_keys_have_is_no_key(around: Surroundings, web: FlaskClient) -> None:
    twin = {**OTHER.as_dict(private=False), "kid": "es"}
    service = flow.service(around)
    keys = [{**service.keys["es"].as_dict(private=False), "kid": "es"}, twin]
    double = flow.service(around)
    # As an earlier release may have registered it.
    twins = update(client).where(client.c.id == double.id).values(jwks=json.dumps({"keys": keys}))
    around.store.write(lambda connection: connection.execute(twins))

    status, error, text = _ask(web, double, flow.assertion(double))

    assert (status, error) == (401, "invalid_client")
    assert "exactly one key" in text


def test_keys_of_one_kid_and_two_types_are_told_apart(
    around: Surroundings, web: FlaskClient
) -> None:
    known = flow.service(around).keys
    keys = [{**known[kid].as_dict(private=False), "kid": "same"} for kid in ("es", "rs")]
    service = flow.service(around, jwks={"keys": keys})

    for kid, algorithm in (("es", "ES384"), ("rs", "RS384")):
        made = flow.assertion(service, header={"kid": "same", "alg": algorithm}, key=known[kid])
        assert _ask(web, service, made)[0] == 200


_LIKE_A_JWT = st.from_regex(r"\A[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){2}\Z")


@given(text=st.one_of(st.text(max_size=80), _LIKE_A_JWT))
def test_t13_nothing_but_a_jwt_is_read_as_one(text: str) -> None:
    with pytest.raises(InvalidJwt, match="no JWT"):
        jwts.read(text)


@given(ahead=st.integers(-2000, 2000), clock=st.integers(1_600_000_000, 4_000_000_000))
def test_t16_an_assertion_is_good_for_five_minutes_and_a_minute_of_skew(
    ahead: int, clock: int
) -> None:
    claims = {"aud": "here", "exp": clock + ahead}

    if -60 < ahead <= 360:
        client_assertion.check_claims(claims, ("here",), clock)
    else:
        with pytest.raises(InvalidJwt, match="exp"):
            client_assertion.check_claims(claims, ("here",), clock)


def test_an_address_that_does_not_answer_is_no_key(around: Surroundings) -> None:
    def fetch(uri: str) -> Any:
        raise FetchRefused("nobody is there")

    service = flow.service(around, jwks_uri="https://keys.example.org/jwks")

    with pytest.raises(InvalidJwt, match="exactly one key"):
        client_assertion.verify(around, ClientKeys(fetch), flow.assertion(service))
